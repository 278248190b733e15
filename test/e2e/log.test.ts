/** The program's request log when its files or folder are temporarily unavailable. */
import type { ConfigInput } from '../../src/config/schema.ts';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, run, serveConfig } from '../helpers/binary.ts';
import { recordsIn } from '../helpers/logged.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const MOCK: ConfigInput = {
  providers: [{ name: 'mock', type: 'mock' }],
  logging: { requests: { flush_interval: '10ms' } },
};
const CHAT = { model: 'mock', messages: [{ role: 'user', content: 'hi' }] };

const chat = async (url: string) =>
  (await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(CHAT) })).status;

interface Health {
  readonly status: string;
  readonly log: { state: string; since: string | null; reason: string | null; pending: number; lost: number };
}

const health = async (url: string) => (await (await fetch(`${url}/health`)).json()) as Health;

test('no record is lost while the log directory is unusable, and this is reported everywhere', async () => {
  const { url, cwd, process } = await serveConfig(MOCK);
  const logs = join(cwd, 'logs');
  expect(await chat(url)).toBe(200);
  await until('the first record', () => recordsIn(cwd).length, { is: 1 });
  const old = join(cwd, 'old');
  mkdirSync(old);
  renameSync(logs, join(old, 'logs'));
  writeFileSync(logs, '');
  // The path is checked four times per second.
  await Bun.sleep(300);
  for (let count = 0; count < 20; count++) expect(await chat(url)).toBe(200);
  await until('the log to fail', async () => (await health(url)).log.state, { is: 'failing' });
  const failing = await health(url);
  expect(failing).toMatchObject({ status: 'healthy', log: { reason: 'its directory is a file', lost: 0 } });
  expect(Date.parse(failing.log.since!)).toBeGreaterThan(0);
  expect(failing.log.pending).toBeGreaterThan(0);
  const shown = run(cwd, 'health', '--url', url);
  expect(shown.out).toMatch(
    /request log {2}cannot be written since .*: its directory is a file; .* 0 records lost/,
  );
  expect(shown.code).toBe(0);
  rmSync(logs);
  await until('the log to be written again', async () => (await health(url)).log.pending, { is: 0 });
  expect((await health(url)).log).toEqual({ state: 'ok', since: null, reason: null, pending: 0, lost: 0 });
  expect(recordsIn(cwd).length + recordsIn(old).length).toBe(21);
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
  const said = await process.stderr.text();
  expect(said.match(/Cannot write the request log/g)).toHaveLength(1);
  expect(said).toContain('move what is in the way, or set logging.requests.directory');
  expect(said).toContain('is written again, 0 records were lost');
});

test('a program that ends while its log cannot be written reports what is lost', async () => {
  const { url, cwd, process } = await serveConfig(MOCK);
  writeFileSync(join(cwd, 'logs'), '');
  for (let count = 0; count < 3; count++) expect(await chat(url)).toBe(200);
  await until('the log to fail', async () => (await health(url)).log.state, { is: 'failing' });
  process.kill('SIGTERM');
  expect(await process.exited).toBe(0);
  expect(await process.stderr.text()).toMatch(/before the end: its directory is a file; 3 records were lost/);
});

test('redact_content removes personal data from the log, and from nothing else', async () => {
  const { url, cwd, process } = await serveConfig({
    ...MOCK,
    logging: { requests: { flush_interval: '10ms', redact_content: ['email', 'phone', 'key'] } },
  });
  const words = 'Reply with exactly jane.doe@corp-mail.com or +49 170 1234567';
  const asked = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: words }] }),
  });
  expect(await asked.text()).toContain('jane.doe@corp-mail.com');
  await until('the record', () => recordsIn(cwd).length, { is: 1 });
  const [record] = recordsIn(cwd);
  expect(record).toMatchObject({
    outcome: 'success',
    request: { messages: [{ content: 'Reply with exactly [EMAIL_1] or [PHONE_1]' }] },
  });
  expect(JSON.stringify(record!.response)).toContain('[EMAIL_1]');
  expect(JSON.stringify(record)).not.toMatch(/corp-mail|1234567/);
  process.kill('SIGTERM');
  await process.exited;
});
