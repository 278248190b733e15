/** `llmproxy logs` and `logs show`, as people see them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { BINARY, built, cleared, folder, run, runInTerminal, serveConfig } from '../helpers/binary.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const BEGIN_MS = Date.parse('2026-03-04T05:00:00.000Z');

/** A folder with a log of ten requests, the first five in a compressed file. */
function logged(): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'logs'));
  const lines = Array.from({ length: 10 }, (_, n) =>
    encodeRecord(
      logRecord({
        ts: new Date(BEGIN_MS + n * 1_000).toISOString(),
        id: `req_${String(n).repeat(32)}`,
        key: n % 2 === 0 ? 'alice' : 'bob',
        model: n === 4 ? 'evil\x1b[2J\x07name' : 'smart',
        cost: n / 100,
        ...(n % 4 === 3
          ? {
              outcome: 'error',
              status: 502,
              fault: 'server',
              error: 'Cannot get an answer',
              cost: null,
              output_tokens: null,
              input_tokens: null,
            }
          : {}),
        request: JSON.stringify({ messages: [{ role: 'user', content: `Question ${n}` }] }),
      }),
    ),
  );
  writeFileSync(
    join(cwd, 'logs/llmproxy-2026-03-03.ndjson.zst'),
    zstdCompressSync(lines.slice(0, 5).join('')),
  );
  writeFileSync(join(cwd, 'logs/llmproxy-2026-03-04.ndjson'), lines.slice(5).join(''));
  return cwd;
}

test('lists the newest requests in 80 columns, newest last, also from compressed files', async () => {
  const cwd = logged();
  const screen = await runInTerminal(80, 'logs', join(cwd, 'logs'), '-n', '6');
  expect(Bun.stripANSI(screen)).toBe(
    `
03-04 05:00:04 44444444 200  13ms alice evil name → local/small-1 3+5 $0.040
03-04 05:00:05 55555555 200  13ms bob smart → local/small-1 3+5 $0.050
03-04 05:00:06 66666666 200  13ms alice smart → local/small-1 3+5 $0.060
03-04 05:00:07 77777777 502  13ms bob smart → local/small-1 server: Cannot get an a…
03-04 05:00:08 88888888 200  13ms alice smart → local/small-1 3+5 $0.080
03-04 05:00:09 99999999 200  13ms bob smart → local/small-1 3+5 $0.090
`.slice(1),
  );
  expect(screen).not.toContain('\x1b[2J');
});

test('filters with the flags of the export, and reports invalid ones', () => {
  const cwd = logged();
  const ids = (...args: string[]) => {
    const { out, err, code } = run(cwd, 'logs', ...args);
    expect({ err, code }).toEqual({ err: '', code: 0 });
    return out
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[1]![0])
      .join('');
  };
  expect(ids()).toBe('0123456789');
  expect(ids('--failed')).toBe('37');
  expect(ids('--failed', '-n', '1')).toBe('7');
  expect(ids('--key', 'bo*')).toBe('13579');
  expect(ids('--model', 'evil*')).toBe('4');
  expect(ids('--status', '5xx')).toBe('37');
  expect(ids('--where', 'cost >= 0.05 && key == "alice"')).toBe('68');
  expect(ids('--where', 'error != null')).toBe('37');
  expect(ids('--where', 'request.messages[0].content == "Question 2"')).toBe('2');
  expect(ids('--since', '2026-03-04T05:00:08Z')).toBe('89');
  expect(ids('--until', '2026-03-04T05:00:01Z')).toBe('01');
  expect(ids('logs/llmproxy-2026-03-04.ndjson')).toBe('56789');
  expect(run(cwd, 'logs', '--model', 'none')).toMatchObject({
    code: 0,
    out: '',
    err: 'No request matches\n',
  });
  expect(run(cwd, 'logs', '--where', 'cots > 1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('unknown variable: cots, did you mean cost?') as string,
  });
  expect(run(cwd, 'logs', '--since', 'soon').code).toBe(2);
  expect(run(cwd, 'logs', '-n', 'many').code).toBe(2);
  expect(run(cwd, 'logs', 'shwo').err).toContain('did you mean `llmproxy logs show`?');
  expect(run(folder(), 'logs').code).toBe(1);
  const [json] = run(cwd, 'logs', '--json', '-n', '1').out.split('\n');
  expect(JSON.parse(json!)).toMatchObject({ id: `req_${'9'.repeat(32)}`, attempt_log: [{ status: 200 }] });
  expect(JSON.parse(json!)).not.toHaveProperty('request');
});

test('shows one request in 80 columns, by its id, the end of its id, or as the last one', async () => {
  const cwd = logged();
  const logs = join(cwd, 'logs');
  const screen = Bun.stripANSI(await runInTerminal(80, 'logs', 'show', '33333333', logs));
  expect(screen).toBe(
    `
id        req_33333333333333333333333333333333
time      2026-03-04T05:00:03Z, 13ms
request   smart, chat
by        key bob, test/1
answer    502 error, local/small-1, relay, finish stop, 74 bytes
error     server: Cannot get an answer

Attempts
  1. local/small-1 200  11ms answered

user
  Question 3

assistant
  Hello
`.slice(1),
  );
  expect(run(cwd, 'logs', 'show', `req_${'3'.repeat(32)}`).out).toBe(screen);
  expect(run(cwd, 'logs', 'show', 'last').out).toContain(`id        req_${'9'.repeat(32)}\n`);
  expect(run(cwd, 'logs', 'show', 'last', '--failed').out).toContain(`id        req_${'7'.repeat(32)}\n`);
  const line = readFileSync(join(logs, 'llmproxy-2026-03-04.ndjson'), 'utf8').trimEnd().split('\n').at(-1)!;
  expect(run(cwd, 'logs', 'show', 'last', '--raw').out).toBe(`${line}\n`);
  expect(run(cwd, 'logs', 'show', 'nothing')).toMatchObject({
    code: 1,
    err: 'Cannot find request nothing: it is not in the log, or its file is gone\n',
  });
  expect(run(cwd, 'logs', 'show', '33333333', '--failed').code).toBe(2);
  expect(run(cwd, 'logs', 'show', '').code).toBe(2);
});

test('ends cleanly when its reader closes the pipe', async () => {
  const cwd = logged();
  const script = '"$0" logs -n 10 | head -n 1; echo "${PIPESTATUS[0]}" >&2';
  const child = Bun.spawn(['bash', '-c', script, BINARY], {
    env: process.env,
    cwd,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  expect(await child.stdout.text()).toContain('00000000');
  expect(await child.stderr.text()).toBe('0\n');
});

test('follows a log that is rotated and compressed while it is written', async () => {
  const { url, cwd } = await serveConfig({
    providers: [{ name: 'mock', type: 'mock', models: ['*'] }],
    logging: {
      level: 'warn',
      requests: { flush_interval: '20ms', rotate_size: '4KiB', compress: 'zstd' },
    },
  });
  const ask = async (n: number) => {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-request-id': `request-${n}` },
      body: JSON.stringify({ model: `model-${n}`, messages: [{ role: 'user', content: 'Hi' }] }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
  };
  await ask(0);
  await ask(1);
  await until('the first records', () => existsSync(join(cwd, 'logs')));
  await Bun.sleep(100);
  const child = Bun.spawn([BINARY, 'logs', '-f', '-n', '1', '--model', 'model-*'], {
    env: process.env,
    cwd,
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let shown = '';
  const reading = (async () => {
    for await (const chunk of child.stdout) shown += new TextDecoder().decode(chunk);
  })();
  await until('the last earlier record', () => shown.includes('model-1'));
  for (let n = 2; n < 40; n++) await ask(n);
  const names = () => [...shown.matchAll(/\/(model-\d+) /g)].map(([, name]) => name);
  await until('all of them', () => names().length, { atLeast: 39 });
  expect(names()).toEqual(Array.from({ length: 39 }, (_, n) => `model-${n + 1}`));
  child.kill('SIGINT');
  await child.exited;
  await reading;
});
