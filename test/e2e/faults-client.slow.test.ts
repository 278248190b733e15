/**
 * The compiled binary between a provider and clients that disconnect, read slowly or send too much; and
 * answers of unlimited length.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'bun:test';
import type { Rig } from '../helpers/rig.ts';
import { USAGE } from '../helpers/broken/wire.ts';
import { fresh } from '../helpers/caller.ts';
import { chatRequest, rawClient } from '../helpers/raw-client.ts';
import { expectWhole, theme, themeOfEach } from '../helpers/rig.ts';
import { until } from '../helpers/until.ts';

const MIB = 1024 * 1024;

const { everyWay, everyStream, bothModes } = theme({
  routing: { breaker: { failures: 3 } },
  limits: { client_stall: '60s' },
  broken: { max_retries: 2, timeout: '60s' },
});

/** Sends a request and disconnects once the provider has received it, or once content has arrived. */
async function leave(rig: Rig, model: string, stream: boolean, seenContent: boolean): Promise<void> {
  const abort = new AbortController();
  const attempts = () => rig.broken.attemptsOf(model.replace(/^broken\//, '')).length;
  const before = attempts();
  const watch = (body: string) => {
    if (body.includes('"content":"tick')) abort.abort();
  };
  const asking = rig.ask(model, { stream, signal: abort.signal, watch }).catch((error: Error) => error.name);
  await until('the request at the provider', () => attempts() > before);
  if (!seenContent || !stream) {
    await Bun.sleep(20);
    abort.abort();
  }
  expect(await asking).toBe('AbortError');
}

async function expectLetGo(rig: Rig, model: string): Promise<void> {
  const [attempt, ...more] = await rig.broken.endedOf(model);
  expect([attempt!.closedBy, attempt!.aborted, more.length]).toEqual(['them', true, 0]);
  const [record, ...others] = await rig.recordsOf(model, 1);
  expect([record!.outcome, record!.fault, record!.status, others.length]).toEqual([
    'client_abort',
    'client_abort',
    record!.status === 200 ? 200 : 499,
    0,
  ]);
}

everyWay(
  'a client that disconnects before the provider answers cancels the upstream request: client_abort',
  async ({ rig, stream }) => {
    const model = fresh('silent');
    await leave(rig, model, stream, false);
    await expectLetGo(rig, model);
    expect(rig.steady.attemptsOf(model).length).toBe(0);
  },
);

everyWay(
  'a client that disconnects between headers and content cancels the upstream request: client_abort',
  async ({ rig, stream }) => {
    const model = fresh('role-only');
    await leave(rig, model, stream, false);
    await expectLetGo(rig, model);
  },
);

everyWay(
  'a client that disconnects in the middle of an answer cancels the upstream request: client_abort',
  async ({ rig, stream }) => {
    const model = fresh('ticking:20');
    await leave(rig, model, stream, true);
    await expectLetGo(rig, model);
  },
);

everyStream(
  'the record of a stream whose client disconnected has what was received, with the usage known by then',
  async ({ rig, protocol }) => {
    const model = fresh('ticking:20');
    await leave(rig, model, true, true);
    const [record] = await rig.recordsOf(model, 1);
    expect(JSON.stringify(record!.response)).toContain('tick');
    expect(record!.finish).toBeNull();
    // OpenAI reports usage at the end, Anthropic reports the input tokens at the beginning.
    if (protocol === 'anthropic') expect(record!.input_tokens).toBe(USAGE.input);
  },
);

bothModes('a client that disconnects during a Retry-After ends the wait', async ({ rig, stream }) => {
  const model = fresh('429-seconds:2');
  await leave(rig, `broken/${model}`, stream, false);
  const [record] = await rig.recordsOf(`broken/${model}`, 1);
  expect([record!.outcome, record!.attempts]).toEqual(['client_abort', 1]);
  await Bun.sleep(2_200);
  expect(rig.broken.attemptsOf(model).length).toBe(1);
});

bothModes('callers that leave count against nobody', async ({ rig, stream }) => {
  const model = fresh('ticking:20');
  for (let n = 0; n < 8; n += 1) await leave(rig, model, stream, true);
  await rig.recordsOf(model, 8);
  expect(rig.broken.attemptsOf(model).length).toBe(8);
  const { targets } = await rig.provider('broken');
  const target = targets.find((each) => each.model === model)!;
  expect([target.breaker, target.resting]).toEqual(['closed', null]);
});

const lonely = themeOfEach({ broken: { timeout: '60s' } });

lonely.everyWay(
  'clients that disconnect at any moment leave no connections or memory behind, and each has one record',
  async ({ rig, stream }) => {
    const faults = [
      'silent',
      'ticking:5',
      'stall',
      'late:40',
      'headers-only',
      'trickle:5',
      'any',
      '500-x1',
      'reset-x1',
    ];
    const models = Array.from({ length: 54 }, (_, n) => fresh(faults[n % faults.length]!));
    await Promise.all(
      models.map(async (model, n) => {
        const signal = AbortSignal.timeout(1 + ((n * 7) % 120));
        await rig.ask(model, { stream, signal }).catch(() => undefined);
      }),
    );
    const open = async () => (await rig.health()).in_flight + rig.broken.counts().open;
    await until('every request to be over', () => open(), { is: 0 });
    for (const model of models) {
      // A request whose client left while it was still connecting never reached the proxy.
      if (rig.broken.attemptsOf(model).length === 0) continue;
      expect((await rig.recordsOf(model, 1)).length).toBe(1);
    }
    expect((await rig.provider('broken')).in_flight).toBe(0);
  },
);

/** The proxy's resident memory in bytes, on systems with /proc. */
function residentBytes(rig: Rig): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const status = readFileSync(`/proc/${rig.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

lonely.everyStream(
  'a client that reads nothing stops the reading from the provider, and memory stays bounded',
  async ({ rig }) => {
    const model = fresh('endless');
    const before = residentBytes(rig);
    using client = await rawClient(rig.url);
    client.send(chatRequest(model));
    await client.read('more');
    client.socket.pause();
    const sent = () => rig.broken.attemptsOf(model)[0]!.sentBytes;
    for (let last = -1; last < sent();) {
      last = sent();
      await Bun.sleep(400);
    }
    // The capacity of the buffers of two connections.
    expect(sent()).toBeLessThan(48 * MIB);
    if (before !== undefined) expect(residentBytes(rig)! - before).toBeLessThan(64 * MIB);
    client.socket.destroy();
    await rig.broken.endedOf(model);
  },
);

everyStream('a client that reads slowly gets all of a long answer', async ({ rig }) => {
  const model = fresh('huge');
  using client = await rawClient(rig.url);
  client.socket.on('data', () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 2);
  });
  client.send(chatRequest(model));
  const text = await client.read('[DONE]');
  expect(text.length).toBeGreaterThan(8 * MIB);
  expect(text).not.toContain('"error"');
  expect((await rig.recordsOf(model, 1))[0]!.outcome).toBe('success');
});

const limited = theme({
  limits: {
    client_stall: '500ms',
    body_timeout: '400ms',
    max_response: '1MiB',
    max_body: '64KiB',
  },
  broken: { max_retries: 0 },
});

limited.everyStream(
  'a client that reads nothing for limits.client_stall is disconnected, and so is the provider',
  async ({ rig }) => {
    const stalling = fresh('endless');
    using client = await rawClient(rig.url);
    client.send(chatRequest(`broken/${stalling}`));
    await client.read('more');
    client.socket.pause();
    await rig.broken.endedOf(stalling);
    const [record] = await rig.recordsOf(`broken/${stalling}`, 1);
    expect(record!.outcome).not.toBe('success');
  },
);

for (const fault of ['huge', 'endless']) {
  limited.everyWhole(
    `an answer beyond limits.max_response (${fault}) is not accepted: the next target answers`,
    async ({ rig }) => {
      const model = fresh(fault);
      expectWhole(await rig.ask(model), false);
      expect((await rig.broken.endedOf(model)).length).toBe(1);
      const alone = await rig.ask(`broken/${fresh(fault)}`);
      expect([alone.status, alone.error!.code]).toEqual([502, 'response_too_large']);
    },
  );

  limited.everyStream(
    `a stream beyond limits.max_response (${fault}) ends with an error event`,
    async ({ rig, stream }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model, { stream });
      expect([seen.status, seen.done, seen.garbage, seen.error?.code]).toEqual([
        200,
        0,
        [],
        'response_too_large',
      ]);
      expect(seen.body.length).toBeLessThan(4 * MIB);
      await rig.broken.endedOf(model);
      expect((await rig.recordOf(seen)).outcome).toBe('truncated');
    },
  );
}

limited.once('a request body that does not arrive is answered 408 after limits.body_timeout', async (rig) => {
  const model = fresh('any');
  using client = await rawClient(rig.url);
  const beganMs = performance.now();
  client.send(chatRequest(model, { length: 1_000 }));
  expect(await client.read('\r\n\r\n')).toStartWith('HTTP/1.1 408');
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(390);
  expect(rig.broken.attemptsOf(model).length).toBe(0);
});

limited.once('a request body that drips is answered 408 after limits.body_timeout too', async (rig) => {
  using client = await rawClient(rig.url);
  client.send(chatRequest(fresh('any'), { length: 1_000 }));
  const drip = setInterval(() => client.send(' '), 20);
  const text = await client.read('\r\n\r\n');
  clearInterval(drip);
  expect(text).toStartWith('HTTP/1.1 408');
});

limited.once('floods of headers and of body are refused: 431 and 413', async (rig) => {
  using headers = await rawClient(rig.url);
  headers.send(`GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-flood: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
  expect(await headers.read('\r\n\r\n')).toStartWith('HTTP/1.1 431');
  const seen = await rig.ask(fresh('any'), { fields: { user: 'x'.repeat(MIB) } });
  expect([seen.status, seen.error!.code]).toEqual([413, 'request_too_large']);
  expectWhole(await rig.ask(fresh('any')), false);
});
