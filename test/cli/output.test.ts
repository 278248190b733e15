/** The output of commands arrives completely, however slowly it is read. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFully } from '../../src/cli/output.ts';
import { BINARY, built, cleared, folder } from '../helpers/binary.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** Makes the messages longer than the capacity of a pipe. */
const MANY = 1_000;

/** Runs a shell command in a folder whose configuration has mistakes. */
function shell(command: string, mistakes = 1): { code: number; out: string; err: string } {
  const cwd = folder();
  const providers = Array.from({ length: mistakes }, (_, at) => ({ name: `p${at}`, type: 'mock', typo: 1 }));
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ providers }, null, 1));
  const ran = Bun.spawnSync(['sh', '-c', command, BINARY], { env: process.env, cwd });
  return { code: ran.exitCode, out: ran.stdout.toString(), err: ran.stderr.toString() };
}

test('a slow reader of stderr gets every message', () => {
  const { out } = shell('"$0" config validate 2>&1 | (sleep 0.5; cat)', MANY);
  expect(out.match(/unknown key `typo`/g)).toHaveLength(MANY);
  expect(out.slice(-24)).toBe(' not valid: 1000 errors\n');
});

test('the exit code is the same if nobody reads stderr', () => {
  expect(shell('"$0" config validate 2>&-').code).toBe(1);
  const left = shell('{ "$0" config validate; echo $? >code; } 2>&1 | head -1; cat code', MANY);
  expect(left.out.slice(-3)).toBe('\n1\n');
});

test.skipIf(!existsSync('/dev/full'))('a full disk is named as the reason', () => {
  expect(shell('"$0" help >/dev/full')).toMatchObject({
    code: 1,
    err: 'Cannot write to standard output: no space left on device\n',
  });
  expect(shell('"$0" config validate 2>/dev/full').code).toBe(1);
});

test.skipIf(process.platform === 'win32')('a non-blocking pipe gets everything', async () => {
  const pipe = join(folder(), 'pipe');
  Bun.spawnSync(['mkfifo', pipe]);
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const size = 1024 ** 2;
  const reader = Bun.spawn(['sh', '-c', `sleep 0.2; head -c ${size} "$0" | wc -c`, pipe]);
  writeFully(fd, 'x'.repeat(size));
  expect(Number(await reader.stdout.text())).toBe(size);
  closeSync(fd);
});
