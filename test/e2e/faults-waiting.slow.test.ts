/**
 * The compiled binary in front of providers that are silent, late or slow, and clients with their own
 * deadlines.
 */
import { expect } from 'bun:test';
import { unresponsiveProvider } from '../helpers/unresponsive-provider.ts';
import { fresh } from '../helpers/caller.ts';
import { expectCut, expectWhole, providerAt, theme } from '../helpers/rig.ts';

const SILENCE_MS = 400;
const STALL_MS = 2_000;
const TOTAL_MS = 2_000;

const deaf = process.platform === 'linux' ? unresponsiveProvider() : undefined;

// Only one limit of each is short: on a busy machine, every other one could be reached first.
const routing = { breaker: { failures: 100 } };

const silent = theme({
  routing,
  broken: { timeout: { first_byte: `${SILENCE_MS}ms` }, max_retries: 2 },
  others: ({ protocol }) => [
    providerAt(protocol, 'deaf', deaf?.url ?? 'http://127.0.0.1:1', {
      models: ['unheard'],
      timeout: { connect: '300ms', first_byte: '60s' },
    }),
  ],
  models: { deaf: ['deaf/unheard', 'steady/heard'] },
});

const late = theme({
  routing,
  broken: { timeout: { first_content: '600ms' }, max_retries: 2 },
  others: ({ broken, protocol }) => [
    providerAt(protocol, 'waiting', broken, { timeout: { first_content: '30s' }, priority: 3 }),
  ],
  models: Object.fromEntries(
    ['late:1000', 'late-comments:1000'].map((fault) => [fault, [`waiting/${fault}`, `steady/${fault}`]]),
  ),
});

const stalling = theme({ routing, broken: { timeout: { idle: `${STALL_MS}ms` }, max_retries: 2 } });

const { everyWay, everyStream, bothModes } = theme({
  routing: { ...routing, deadline: '4s' },
  others: ({ broken, protocol }) => [
    providerAt(protocol, 'limited', broken, { timeout: { total: `${TOTAL_MS}ms` }, priority: 3 }),
    providerAt(protocol, 'patient', broken, {
      timeout: { first_byte: '60s' },
      // Shorter than the provider's own limit.
      models: [{ name: '*', timeout: { first_byte: '300ms' } }],
      priority: 3,
    }),
    providerAt(protocol, 'waiting', broken, { priority: 3 }),
  ],
});

silent.everyWay(
  'a silent provider is given up after timeout.first_byte, and not tried again for this request',
  async ({ rig, stream }) => {
    const model = fresh('silent');
    const requestedMs = performance.now();
    const seen = await rig.ask(model, { stream });
    expectWhole(seen, stream);
    const [attempt, ...again] = await rig.broken.endedOf(model);
    const [next] = rig.steady.attemptsOf(model);
    expect(again).toEqual([]);
    // Measured from the start of the request: a busy provider sees it late, but the next one is never asked early.
    expect(next!.atMs - requestedMs).toBeGreaterThanOrEqual(SILENCE_MS - 5);
    expect([attempt!.closedBy, attempt!.aborted]).toEqual(['them', true]);
    const { attempt_log: log } = await rig.recordOf(seen);
    expect(log.map(({ fault }) => fault)).toEqual(['timeout_first_byte', null]);
  },
);

silent.everyWay(
  'a silent provider without a next target ends in 504 timeout_first_byte, and is tried once',
  async ({ rig, stream }) => {
    const model = fresh('silent');
    const seen = await rig.ask(`broken/${model}`, { stream });
    expect([seen.status, seen.error!.code]).toEqual([504, 'timeout_first_byte']);
    expect(seen.error!.details!.length).toBe(1);
    expect(rig.broken.attemptsOf(model).length).toBe(1);
  },
);

for (const [what, fault] of [
  ['headers at once and nothing after them', 'headers-only'],
  ['headers at once and content late', 'late:2000'],
  ['headers and comments or pings at once, content late', 'late-comments:2000'],
  ['headers and a role at once, content never', 'role-only'],
  ['deltas without content for ever', 'empty-deltas'],
  ['one byte a second', 'trickle'],
] as const) {
  late.everyStream(
    `${what}: timeout.first_content fails over before the client got its 200`,
    async ({ rig, stream }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model, { stream });
      expectWhole(seen, stream);
      const [attempt, ...again] = await rig.broken.endedOf(model);
      const [next] = rig.steady.attemptsOf(model);
      expect(again).toEqual([]);
      expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
      expect(seen.headersAtMs).toBeGreaterThanOrEqual(next!.atMs);
      expect(attempt!.aborted).toBe(true);
      const { attempt_log: log } = await rig.recordOf(seen);
      expect(log.map((each) => each.fault)).toEqual(['timeout_first_content', null]);
    },
  );
}

late.everyStream(
  'content that is late but within timeout.first_content is waited for',
  async ({ rig, stream }) => {
    for (const model of ['late:1000', 'late-comments:1000']) {
      expectWhole(await rig.ask(model, { stream }), stream);
      expect(rig.broken.attemptsOf(model).length).toBe(1);
      expect(rig.steady.attemptsOf(model).length).toBe(0);
    }
  },
);

late.everyStream(
  'late content of the only target ends in 504 timeout_first_content',
  async ({ rig, stream }) => {
    const seen = await rig.ask(`broken/${fresh('headers-only')}`, { stream });
    expect([seen.status, seen.error!.code]).toEqual([504, 'timeout_first_content']);
  },
);

for (const fault of ['headers-only', 'stall']) {
  stalling.bothModes(
    `an unstreamed body that does not arrive (${fault}) is given up after timeout.idle, and the next target is tried`,
    async ({ rig }) => {
      const model = fresh(fault);
      const seen = await rig.ask(model);
      expectWhole(seen, false);
      expect(rig.broken.attemptsOf(model).length).toBe(1);
      const { attempt_log: log } = await rig.recordOf(seen);
      expect(log.map((each) => each.fault)).toEqual(['timeout_idle', null]);
    },
  );
}

stalling.everyStream(
  'a stream that stalls after content ends with an error event, not with [DONE]',
  async ({ rig, stream }) => {
    const model = fresh('stall');
    const seen = await rig.ask(model, { stream });
    expectCut(seen, 'timeout_idle');
    expect(rig.broken.attemptsOf(model).length).toBe(1);
    expect(rig.steady.attemptsOf(model).length).toBe(0);
    const record = await rig.recordOf(seen);
    expect([record.outcome, record.fault, record.status]).toEqual(['truncated', 'timeout_idle', 200]);
  },
);

stalling.everyStream(
  'the content before a stall reaches the client before the stall is over',
  async ({ rig, stream }) => {
    const beganMs: number[] = [];
    const watch = (): unknown => beganMs.push(performance.now());
    const seen = await rig.ask(fresh('stall'), { stream, watch });
    // Were it held back, both would be at the same time.
    expect(seen.endedAtMs - beganMs[0]!).toBeGreaterThanOrEqual(STALL_MS / 4);
  },
);

everyWay('timeout.total limits an answer that never ends, however much it sends', async ({ rig, stream }) => {
  const model = fresh('ticking:50');
  const requestedMs = performance.now();
  const seen = await rig.ask(`limited/${model}`, { stream });
  expect(seen.error!.code).toBe('timeout_total');
  expect([seen.status, seen.done]).toEqual([stream ? 200 : 504, 0]);
  const [attempt, ...again] = await rig.broken.endedOf(model);
  expect(attempt!.closedAtMs! - requestedMs).toBeGreaterThanOrEqual(TOTAL_MS - 5);
  expect(again).toEqual([]);
  expect((await rig.recordOf(seen)).outcome).toBe(stream ? 'truncated' : 'error');
});

everyWay('a model’s own timeout goes before its provider’s', async ({ rig, stream }) => {
  const seen = await rig.ask(`patient/${fresh('silent')}`, { stream });
  expect([seen.status, seen.error!.code]).toEqual([504, 'timeout_first_byte']);
});

if (deaf) {
  silent.everyWay(
    'an address where no connection opens is given up after timeout.connect, and the next target is tried',
    async ({ rig, stream }) => {
      const seen = await rig.ask('deaf', { stream });
      expectWhole(seen, stream);
      const { attempt_log: log } = await rig.recordOf(seen);
      expect(log.map((each) => each.fault)).toEqual(['timeout_connect', null]);
    },
  );

  silent.bothModes('a connection that never opens ends in 504 timeout_connect', async ({ rig, stream }) => {
    const seen = await rig.ask('deaf/unheard', { stream });
    expect([seen.status, seen.error!.code]).toEqual([504, 'timeout_connect']);
  });
}

for (const [what, headers, limitMs] of [
  ['x-request-timeout in seconds', { 'x-request-timeout': '1' }, 1_000],
  ['x-request-timeout with a unit', { 'x-request-timeout': '300ms' }, 300],
  ['the SDKs’ x-stainless-timeout', { 'x-stainless-timeout': '1' }, 1_000],
] as const) {
  everyWay(
    `${what} is an upper limit: 504 deadline_exceeded, and the upstream request is cancelled`,
    async ({ rig, stream }) => {
      const model = fresh('silent');
      const beganMs = performance.now();
      const seen = await rig.ask(`waiting/${model}`, { stream, headers });
      expect([seen.status, seen.error!.code]).toEqual([504, 'deadline_exceeded']);
      expect(seen.headersAtMs - beganMs).toBeGreaterThanOrEqual(limitMs - 10);
      expect((await rig.broken.endedOf(model)).map(({ aborted }) => aborted)).toEqual([true]);
    },
  );
}

everyStream(
  'x-request-timeout ends a running stream with the error event deadline_exceeded',
  async ({ rig, stream }) => {
    const model = fresh('ticking:50');
    const headers = { 'x-request-timeout': '2s' };
    const seen = await rig.ask(`waiting/${model}`, { stream, headers });
    expect([seen.status, seen.done, seen.error?.code]).toEqual([200, 0, 'deadline_exceeded']);
    const [attempt] = await rig.broken.endedOf(model);
    expect(attempt!.aborted).toBe(true);
    const { targets } = await rig.provider('waiting');
    expect(targets.find((target) => target.model === model)!.success_rate).not.toBe(0);
  },
);

bothModes('a client’s deadline also ends retries and waits', async ({ rig, stream }) => {
  const model = fresh('429-seconds:2');
  const headers = { 'x-request-timeout': '400ms' };
  const seen = await rig.ask(`waiting/${model}`, { stream, headers });
  expect([429, 504]).toContain(seen.status);
  expect(rig.broken.attemptsOf(model).length).toBe(1);
});

bothModes(
  'a client’s deadline can only shorten the time: a longer one has no effect',
  async ({ rig, stream }) => {
    const headers = { 'x-request-timeout': '3600' };
    const seen = await rig.ask(`waiting/${fresh('silent')}`, { stream, headers });
    expect([seen.status, seen.error!.code]).toEqual([504, 'deadline_exceeded']);
  },
);

late.bothModes('a caller’s deadline that has time left changes nothing', async ({ rig, stream }) => {
  const headers = { 'x-request-timeout': '60', 'x-stainless-timeout': '600' };
  expectWhole(await rig.ask(fresh('500-x1'), { stream, headers }), stream);
});

bothModes('routing.deadline limits all attempts together', async ({ rig, stream }) => {
  const model = fresh('silent');
  const beganMs = performance.now();
  const seen = await rig.ask(`waiting/${model}`, { stream });
  expect([seen.status, seen.error!.code]).toEqual([504, 'deadline_exceeded']);
  expect(seen.headersAtMs - beganMs).toBeGreaterThanOrEqual(4_000 - 10);
});
