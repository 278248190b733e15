import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { renderNotices } from '../../scripts/notices.ts';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

test('licenses prints the licences of the packages in node_modules, from the binary alone', () => {
  expect(run(folder(), 'licenses')).toEqual({
    code: 0,
    out: renderNotices(join(import.meta.dir, '../..')),
    err: '',
  });
});

test('licenses ends quietly when its reader closes the pipe', () => {
  const script = `set -o pipefail; "${BINARY}" licenses | head -n 1`;
  const { exitCode, stdout, stderr } = Bun.spawnSync(['bash', '-c', script], {
    env: process.env,
    cwd: folder(),
  });
  expect(stdout.toString()).toStartWith('llmproxy ');
  expect([exitCode, stderr.toString()]).toEqual([0, '']);
});
