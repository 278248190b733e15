/** The compiled binary with targets that flap or are all unavailable, and with itself as its provider. */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'bun:test';
import type { Attempt } from '../helpers/broken/attempt.ts';
import { LAST_RESORT_MS } from '../../src/pipeline/targets/cooldown.ts';
import { built, cleared, serveConfig } from '../helpers/binary.ts';
import { ask, fresh } from '../helpers/caller.ts';
import { expectCut, expectHeldBack, expectWhole, providerAt, theme } from '../helpers/rig.ts';
import { until } from '../helpers/until.ts';

const FAILURES = 3;
const COOLDOWN_MS = 400;
/** Jitter shortens a cooldown to this share at most. */
const JITTER = 0.8;

/** Breakers with a cooldown that ends during a test. */
const { everyWay, bothModes } = theme({
  routing: {
    deadline: '5s',
    breaker: { failures: FAILURES, cooldown: `${COOLDOWN_MS}ms`, max_cooldown: '5s' },
  },
  // Long enough for an answer on a busy machine: only the silent model may reach this limit.
  broken: { max_retries: 0, timeout: { first_byte: '900ms' } },
  models: { out: ['broken/503#out', 'broken/429-seconds:30#out', 'broken/silent#out'] },
});

/** Breakers that stay open. */
const staying = theme({
  routing: { breaker: { failures: FAILURES } },
  broken: { max_retries: 0 },
  models: {
    resort: { targets: ['broken/500-x4#resort'], last_resort: true },
    'no-resort': { targets: ['broken/500#no-resort'] },
    'told-resort': { targets: ['broken/429-seconds:30#told'], last_resort: true },
  },
});

/**
 * Milliseconds between the arrivals of two attempts at the provider. The proxy learns of a failure only
 * after the attempt has arrived, so this is never less than the pause that follows.
 */
function gapMs(attempts: readonly Attempt[], from: number, to: number): number {
  return attempts[to]!.atMs - attempts[from]!.atMs;
}

staying.everyWay(
  'consecutive failures open the breaker; other targets then answer, and the provider gets no requests',
  async ({ rig, stream }) => {
    const model = fresh('500');
    for (let n = 0; n < 4 * FAILURES; n += 1) expectWhole(await rig.ask(model, { stream }), stream);
    expect(rig.broken.attemptsOf(model).length).toBe(FAILURES);
  },
);

staying.everyStream('streams that break after content open the breaker too', async ({ rig, stream }) => {
  const model = fresh('cut-fin');
  for (let n = 0; n < FAILURES; n += 1) expectCut(await rig.ask(model, { stream }), 'truncated');
  const seen = await rig.ask(model, { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
  expect(rig.broken.attemptsOf(model).length).toBe(FAILURES);
});

bothModes(
  'after the cooldown a single request tries the target of an open breaker, and its success closes it',
  async ({ rig, stream }) => {
    const flapping = fresh(`500-x${FAILURES}`);
    for (let n = 0; n < FAILURES; n += 1) await rig.ask(flapping, { stream });
    await until('a trial', async () => {
      await Promise.all(Array.from({ length: 8 }, () => rig.ask(flapping, { stream })));
      return rig.broken.attemptsOf(flapping).length > FAILURES;
    });
    const attempts = rig.broken.attemptsOf(flapping);
    expect(gapMs(attempts, FAILURES - 1, FAILURES)).toBeGreaterThanOrEqual(COOLDOWN_MS * JITTER - 5);
    const seen = await rig.ask(flapping, { stream });
    expect(seen.headers.get('x-llmproxy-provider')).toBe('broken');
    const { targets } = await rig.provider('broken');
    expect(targets.find((target) => target.model === flapping)!.breaker).toBe('closed');
  },
);

bothModes(
  'only one trial is in flight: all other requests go to other targets until it ends',
  async ({ rig, stream }) => {
    const model = fresh('silent');
    for (let n = 0; n < FAILURES; n += 1) await rig.ask(model, { stream });
    await Bun.sleep(COOLDOWN_MS * 1.3);
    const seen = await Promise.all(Array.from({ length: 12 }, () => rig.ask(model, { stream })));
    for (const each of seen) expectWhole(each, stream);
    const [trial, ...more] = rig.broken.attemptsOf(model).slice(FAILURES);
    expect(trial).toBeDefined();
    expect(more).toEqual([]);
  },
);

bothModes('a failed trial keeps the breaker open for longer', async ({ rig, stream }) => {
  const model = fresh('500');
  for (let n = 0; n < FAILURES; n += 1) await rig.ask(model, { stream });
  await until('two trials', async () => {
    await rig.ask(model, { stream });
    return rig.broken.attemptsOf(model).length >= FAILURES + 2;
  });
  const attempts = rig.broken.attemptsOf(model);
  expect(gapMs(attempts, FAILURES - 1, FAILURES)).toBeGreaterThanOrEqual(COOLDOWN_MS * JITTER - 5);
  // The second pause starts when the proxy starts the trial, which arrives a little later, so it is compared
  // with the longest possible first pause rather than its own length.
  expect(gapMs(attempts, FAILURES, FAILURES + 1)).toBeGreaterThan(COOLDOWN_MS);
});

everyWay(
  'with all targets unavailable, the best error is returned within the deadline, with each attempt in details and in the record',
  async ({ rig, stream }) => {
    const seen = await rig.ask('out', { stream });
    expect(seen.status).toBeGreaterThanOrEqual(429);
    expect(seen.error!.message).not.toBe('');
    const { attempt_log: log, outcome } = await rig.recordOf(seen);
    expect(outcome).toBe('error');
    const brief = (attempts: typeof log) =>
      attempts.map(({ target, fault, status }) => [target, fault, status]);
    if (log.length > 0) expect(brief(seen.error!.details as typeof log)).toEqual(brief(log));
  },
);

staying.bothModes(
  'with all targets unavailable, Retry-After names the earliest recovery',
  async ({ rig, stream }) => {
    const model = fresh('503');
    for (let n = 0; n < FAILURES; n += 1)
      expect((await rig.ask(`broken/${model}`, { stream })).status).toBe(503);
    const last = await until('an answer without an attempt', async () => {
      const seen = await rig.ask(`broken/${model}`, { stream });
      return seen.error!.code === 'no_target_available' && seen;
    });
    expect(last.status).toBe(503);
    const seconds = Number(last.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(LAST_RESORT_MS / 1_000);
    expectHeldBack(rig.broken.attemptsOf(model), FAILURES);
  },
);

staying.once(
  'last_resort tries the least bad target when all are unavailable, and only on routes that set it',
  async (rig) => {
    for (let n = 0; n < FAILURES + 3; n += 1) await rig.ask('no-resort');
    expectHeldBack(rig.broken.attemptsOf('500#no-resort'), FAILURES);
    const seen = [];
    for (let n = 0; n < FAILURES + 3; n += 1) seen.push(await rig.ask('resort'));
    expect(rig.broken.attemptsOf('500-x4#resort').length).toBe(FAILURES + 3);
    expectWhole(seen.at(-1)!, false);
  },
);

staying.once('last_resort never tries a target before its Retry-After has passed', async (rig) => {
  for (let n = 0; n < 3; n += 1) await rig.ask('told-resort');
  expect(rig.broken.attemptsOf('429-seconds:30#told').length).toBe(1);
});

const rates = theme({
  routing: {
    breaker: { failures: 100, failure_rate: 0.5, min_calls: 10, window: '1h' },
  },
  broken: { max_retries: 0 },
});

rates.everyWay(
  'the failure rate opens the breaker of a provider that fails often but not consecutively',
  async ({ rig, stream }) => {
    const model = fresh('flapping');
    for (let n = 0; n < 30; n += 1) expectWhole(await rig.ask(model, { stream }), stream);
    const asked = rig.broken.attemptsOf(model).length;
    expect(asked).toBeGreaterThanOrEqual(10);
    expect(asked).toBeLessThanOrEqual(12);
    const { targets } = await rig.provider('broken');
    expect(targets.find((target) => target.model === model)!.breaker).toBe('open');
  },
);

afterAll(cleared);

for (const stream of [false, true]) {
  test.concurrent(
    `a proxy pointed at itself answers 508 after one round [${stream ? 'streamed' : 'unstreamed'}]`,
    async () => {
      built();
      // A proxy's address is known only once it runs, so the configuration names a forwarding server whose
      // address is known before.
      let own = 0;
      let connections = 0;
      const pipe = createServer((socket) => {
        connections += 1;
        const upstream = connect(own, '127.0.0.1');
        socket.on('error', () => upstream.destroy()).pipe(upstream);
        upstream.on('error', () => socket.destroy()).pipe(socket);
      });
      await new Promise<void>((resolve) => pipe.listen(0, '127.0.0.1', resolve));
      const { port } = pipe.address() as AddressInfo;
      const { url, process: child } = await serveConfig({
        logging: { level: 'error' },
        providers: [providerAt('openai', 'myself', `http://127.0.0.1:${port}`, { max_retries: 0 })],
      });
      own = Number(new URL(url).port);
      const seen = await ask(url, 'any', { stream });
      expect([seen.status, seen.error!.code]).toEqual([508, 'loop_detected']);
      expect(connections).toBe(1);
      child.kill('SIGKILL');
      await child.exited;
      pipe.close();
    },
    60_000,
  );
}
