/**
 * The output of `serve` when there is a lot of it, when nothing reads it, and when several processes write.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { BINARY, built, cleared, folder, serve } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const MOCK: ConfigInput = { providers: [{ name: 'mock', type: 'mock', models: ['*'] }] };

test('continues while nobody reads its stderr, leaves out lines, and says how many', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(MOCK));
  // A reader that reads nothing until it is resumed.
  const script = `exec "$0" serve --port 0 --log-level debug 2> >(read -r line < go; exec cat > said)`;
  Bun.spawnSync(['mkfifo', join(cwd, 'go')]);
  const child = Bun.spawn(['bash', '-c', script, BINARY], {
    env: process.env,
    cwd,
    stdout: 'pipe',
    stderr: 'ignore',
  });
  try {
    const { value } = await child.stdout.getReader().read();
    const url = /http:\/\/[\d.:]+/.exec(new TextDecoder().decode(value))![0];
    const model = 'm'.repeat(2_000);
    const agent = 'a'.repeat(4_000);
    const once = () =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'user-agent': agent },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
      }).then((answer) => answer.text());
    for (let n = 0; n < 3_000; n += 100) await Promise.all(Array.from({ length: 100 }, once));
    writeFileSync(join(cwd, 'go'), 'now\n');
    const said = () =>
      Bun.file(join(cwd, 'said'))
        .text()
        .catch(() => '');
    await until('the rest of the output', async () => {
      await once();
      return (await said()).includes('lines were left out: stderr is read too slowly');
    });
    expect(await said()).toMatch(/^warning: \d+ lines were left out/m);
  } finally {
    child.kill('SIGTERM');
  }
  expect(await child.exited).toBe(0);
}, 60_000);

test.skipIf(process.platform !== 'linux')('keeps the lines of several workers whole', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(MOCK));
  const serving = await serve(cwd, '--workers', '3', '--log-level', 'debug', '--log-format', 'json');
  const texts = serving.process.stderr.text();
  const once = async () => {
    const answer = await fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'user-agent': 'u'.repeat(500), connection: 'close' },
      body: JSON.stringify({ model: 'm'.repeat(500), messages: [{ role: 'user', content: 'Hi' }] }),
    });
    await answer.text();
  };
  for (let n = 0; n < 300; n += 30) await Promise.all(Array.from({ length: 30 }, once));
  await until('all records', () => recordsIn(cwd).length, { is: 300 });
  serving.process.kill('SIGTERM');
  expect(await serving.process.exited).toBe(0);
  const lines = (await texts)
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each) as { event?: string; worker?: number });
  const requests = lines.filter(({ event }) => event === 'request');
  expect(requests).toHaveLength(300);
  expect(new Set(requests.map(({ worker }) => worker)).size).toBeGreaterThan(1);
});
