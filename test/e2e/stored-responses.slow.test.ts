/** Stored responses in the compiled binary across restarts, several workers and failing disks. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, folder, serveFolder } from '../helpers/binary.ts';
import { childrenOf } from '../helpers/processes.ts';
import { at, counting, NOT_FOUND, refusal, sdk } from '../helpers/stored.ts';
import { until } from '../helpers/until.ts';
import { completion, upstream } from '../helpers/upstream.ts';

beforeAll(built, 120_000);
afterAll(cleared);

async function served(config: object, cwd = folder()) {
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  return await serveFolder(cwd);
}

async function stopped(child: Bun.Subprocess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  child.kill(signal);
  await child.exited;
}

test('they survive a restart and a crash, and no key in them is written to disk', async () => {
  await using provider = counting();
  const config = at(provider.url);
  const first = await served(config);
  const text = 'my key is sk-abcdefghijklmnopqrstuvwxyz0123456789';
  const one = await sdk(first).responses.create({ model: 'm', input: text });
  const conversation = await sdk(first).conversations.create({ items: [{ role: 'user', content: 'x' }] });
  await stopped(first.process);
  const second = await served(config, first.cwd);
  expect((await sdk(second).responses.retrieve(one.id)).output_text).toBe('1');
  const two = await sdk(second).responses.create({ model: 'm', input: 'b', previous_response_id: one.id });
  expect(two.output_text).toBe('3');
  // A response is available as soon as its id is known.
  expect((await sdk(second).responses.retrieve(two.id)).id).toBe(two.id);
  await stopped(second.process, 'SIGKILL');
  const third = await served(config, first.cwd);
  const three = await sdk(third).responses.create({ model: 'm', input: 'c', previous_response_id: two.id });
  expect(three.output_text).toBe('5');
  const more = await sdk(third).responses.create({ model: 'm', input: 'c', conversation: conversation.id });
  expect(more.output_text).toBe('2');
  await stopped(third.process);
  const files = readdirSync(join(first.cwd, 'state'));
  expect(files).toContain('responses.sqlite');
  const written = files.map((file) => readFileSync(join(first.cwd, 'state', file), 'latin1')).join('');
  expect(written).not.toContain('sk-abcdefghij');
}, 60_000);

test('several workers share them, and can cancel those of another', async () => {
  await using provider = counting();
  let came = 0;
  let left = 0;
  await using slow = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch(request) {
      came += 1;
      request.signal.addEventListener('abort', () => (left += 1));
      return new Promise<Response>(() => undefined);
    },
  });
  const config = at(provider.url, { server: { workers: 3 } });
  config.providers.push({
    name: 's',
    type: 'openai-compatible',
    base_url: `http://127.0.0.1:${slow.port}`,
    models: ['slow'],
  });
  const serving = await served(config);
  const client = sdk(serving);
  // Each request uses a new connection, which may reach any worker.
  const options = { headers: { connection: 'close' } };
  let previous = (await client.responses.create({ model: 'm', input: 'x' }, options)).id;
  for (let turn = 1; turn < 12; turn += 1) {
    const next = await client.responses.create(
      { model: 'm', input: 'x', previous_response_id: previous },
      options,
    );
    expect(next.output_text).toBe(`${2 * turn + 1}`);
    previous = next.id;
  }
  const runs = await Promise.all(
    Array.from({ length: 4 }, () =>
      client.responses.create({ model: 'slow', input: 'x', background: true }, options),
    ),
  );
  await until('all run', () => came === runs.length);
  for (const { id } of runs) expect((await client.responses.cancel(id, options)).status).toBe('cancelled');
  await until('all provider requests to be cancelled', () => left === runs.length);
  await stopped(serving.process);
}, 60_000);

test('if they cannot be written, they are kept in memory, and this is reported', async () => {
  await using provider = counting();
  const cwd = folder();
  writeFileSync(join(cwd, 'state'), 'a file where the directory should be');
  const serving = await served(at(provider.url), cwd);
  const client = sdk(serving);
  const { id } = await client.responses.create({ model: 'm', input: 'x' });
  expect((await client.responses.retrieve(id)).output_text).toBe('1');
  await stopped(serving.process);
  expect(await new Response(serving.process.stderr).text()).toContain('kept in memory');
}, 60_000);

test('nothing is stored and no file is created if storing is off', async () => {
  await using provider = counting();
  const serving = await served(at(provider.url, { responses: { store: 'never' } }));
  const client = sdk(serving);
  const { id, ...told } = await client.responses.create({ model: 'm', input: 'x' });
  expect((told as { store?: boolean }).store).toBe(false);
  expect(await refusal(client.responses.retrieve(id))).toEqual(NOT_FOUND);
  const next = client.responses.create({ model: 'm', input: 'b', previous_response_id: id });
  expect(await refusal(next)).toEqual([400, 'unsupported_parameter', 'previous_response_id']);
  await stopped(serving.process);
  expect(existsSync(join(serving.cwd, 'state', 'responses.sqlite'))).toBe(false);
}, 60_000);

test.each([1, 2])(
  'one in the background has failed as soon as %d processes that were killed begin again',
  async (workers) => {
    await using slow = upstream(async () => {
      await Bun.sleep(30_000);
      return completion('done');
    });
    const config = at(slow.url, { server: { workers } });
    const first = await served(config);
    const { id } = await sdk(first).responses.create({ model: 'm', input: 'x', background: true });
    await until(
      'the response to be in progress',
      async () => (await sdk(first).responses.retrieve(id)).status === 'in_progress',
    );
    // All processes at once, as in a power failure.
    for (const pid of [first.process.pid, ...childrenOf(first.process.pid)]) process.kill(pid, 'SIGKILL');
    await first.process.exited;
    const second = await served(config, first.cwd);
    const left = await sdk(second).responses.retrieve(id);
    expect([left.status, left.error?.code]).toEqual(['failed', 'server_error']);
    await stopped(second.process);
  },
  60_000,
);

test.each([1, 2])(
  'one in the background is finished and recorded before %d processes stop',
  async (workers) => {
    await using slow = upstream(async ({ text }) => {
      await Bun.sleep(text.includes('long') ? 30_000 : 1_200);
      return completion('done');
    });
    const server = { workers, drain_timeout: '4s' } as const;
    const first = await served(at(slow.url, { server }));
    const [short, long] = await Promise.all(
      ['short', 'long'].map((input) => sdk(first).responses.create({ model: 'm', input, background: true })),
    );
    // At once, because no connection has a request in flight.
    await stopped(first.process);
    expect(await new Response(first.process.stderr).text()).toContain('requests were cut');
    const second = await served(at(slow.url), first.cwd);
    const done = await sdk(second).responses.retrieve(short!.id);
    expect([done.status, done.output_text]).toEqual(['completed', 'done']);
    const cut = await sdk(second).responses.retrieve(long!.id);
    expect([cut.status, cut.error?.code]).toEqual(['failed', 'server_error']);
    await stopped(second.process);
    const logs = readdirSync(join(first.cwd, 'logs'), { recursive: true, encoding: 'utf8' });
    const lines = logs
      .filter((name) => name.endsWith('.jsonl') || name.endsWith('.ndjson'))
      .flatMap((name) =>
        readFileSync(join(first.cwd, 'logs', name), 'utf8')
          .trim()
          .split('\n'),
      );
    const outcomes = lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome);
    expect(outcomes.toSorted()).toEqual(['error', 'success']);
  },
  60_000,
);
