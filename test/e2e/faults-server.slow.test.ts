/**
 * The compiled binary in front of providers that fail before they answer: 5xx, broken connections, no
 * connection.
 */
import { expect } from 'bun:test';
import { fresh } from '../helpers/caller.ts';
import { UNTOLD } from '../helpers/callers/speech.ts';
import { expectWhole, providerAt, theme } from '../helpers/rig.ts';

const MAX_RETRIES = 2;
const FAILURES = 4;

const { everyClient, everyWay, bothModes } = theme({
  routing: { breaker: { failures: FAILURES } },
  broken: { max_retries: MAX_RETRIES },
  // A port on which nothing listens, a name that does not exist, and a server without TLS.
  others: ({ broken, protocol }) =>
    Object.entries({
      refusing: 'http://127.0.0.1:1',
      nameless: `http://${'x'.repeat(64)}.test`,
      plain: broken.replace('http:', 'https:'),
    }).map(([name, url]) => providerAt(protocol, name, url, { models: ['unreached'], max_retries: 1 })),
  models: {
    refusing: ['refusing/unreached', 'steady/reached'],
    nameless: ['nameless/unreached', 'steady/reached'],
    plain: ['plain/unreached', 'steady/reached'],
    five: Array.from({ length: 5 }, (_, n) => `broken/500#of-five-${n}`),
  },
});

// One fault of each kind is tested with every client protocol; the others do not depend on it.
for (const status of ['500', '502', '503', '504', '529']) {
  const tried = status === '503' ? everyClient : everyWay;
  tried(`one ${status}, then fine, is retried on the same target`, async ({ rig, stream, ask }) => {
    const model = fresh(`${status}-x1`);
    const seen = await ask(model);
    expectWhole(seen, stream);
    expect([rig.broken.attemptsOf(model).length, rig.steady.attemptsOf(model).length]).toEqual([2, 0]);
    expect(await rig.recordOf(seen)).toMatchObject({ outcome: 'success', provider: 'broken', attempts: 2 });
  });

  tried(
    `a persistent ${status} is retried max_retries times, then the next target answers`,
    async ({ rig, stream, ask }) => {
      const model = fresh(status);
      const seen = await ask(model);
      expectWhole(seen, stream);
      expect(rig.broken.attemptsOf(model).length).toBe(1 + MAX_RETRIES);
      expect(rig.steady.attemptsOf(model).length).toBe(1);
      const { attempt_log: log } = await rig.recordOf(seen);
      expect(log.map((attempt) => attempt.status)).toEqual([...Array(3).fill(Number(status)), 200]);
    },
  );
}

everyClient(
  'a persistent 5xx opens the breaker of the target: it gets no more requests, and /providers says so',
  async ({ rig, stream, ask }) => {
    const model = fresh('500');
    for (let n = 0; n < 4; n += 1) expectWhole(await ask(model), stream);
    expect(rig.broken.attemptsOf(model).length).toBe(FAILURES);
    const { targets, reasons, state } = await rig.provider('broken');
    expect(targets.find((target) => target.model === model)!.breaker).toBe('open');
    expect(reasons.join()).toContain(model);
    expect(state).not.toBe('healthy');
  },
);

everyClient(
  'a persistent 5xx of the only target is passed on with its message, and every attempt is in details and in the record',
  async ({ rig, ask, client }) => {
    const model = fresh('503');
    const seen = await ask(`broken/${model}`);
    const attempts = [1, 2, 3].map(() => [`broken/${model}`, 'overloaded', 503]);
    expect([seen.status, seen.error!.message]).toEqual([503, expect.stringContaining('Overloaded')]);
    const told = seen.error!.details?.map(({ target, fault, status }) => [target, fault, status]);
    expect(told).toEqual(UNTOLD.has(client) ? undefined : attempts);
    const { attempt_log: log, outcome, fault } = await rig.recordOf(seen);
    expect(log.map(({ target, fault, status }) => [target, fault, status])).toEqual(attempts);
    expect([outcome, fault]).toEqual(['error', 'overloaded']);
  },
);

bothModes(
  'routing.max_attempts limits the attempts of one request across all its targets',
  async ({ rig, ask }) => {
    const seen = await ask('five');
    expect(seen.status).toBeGreaterThanOrEqual(500);
    expect((await rig.recordOf(seen)).attempts).toBeLessThanOrEqual(8);
  },
);

for (const [what, fault] of [
  ['a reset before the headers', 'reset'],
  ['a connection closed before the headers', 'fin'],
  ['half a header', 'half-header'],
  ['an answer that is not HTTP', 'not-http'],
] as const) {
  const tried = fault === 'reset' ? everyClient : everyWay;
  tried(`${what} is retried on the only target`, async ({ rig, stream, ask }) => {
    const model = fresh(`${fault}-x1`);
    const seen = await ask(`broken/${model}`);
    expectWhole(seen, stream);
    expect(rig.broken.attemptsOf(model).length).toBe(2);
  });

  tried(`${what}, again and again, fails over within bounds`, async ({ rig, stream, ask }) => {
    const model = fresh(fault);
    const seen = await ask(model);
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
    const count = rig.broken.attemptsOf(model).length;
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(1 + MAX_RETRIES);
  });
}

for (const [what, route] of [
  ['a refused connection', 'refusing'],
  ['a host name that nobody knows', 'nameless'],
  ['a failed TLS handshake', 'plain'],
] as const) {
  const tried = route === 'refusing' ? everyClient : everyWay;
  tried(`${what} fails over to the next target`, async ({ stream, ask }) => {
    const seen = await ask(route);
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
  });

  bothModes(`${what} of the only target ends in 502 upstream_unreachable`, async ({ ask }) => {
    const seen = await ask(`${route}/unreached`);
    expect([502, 503]).toContain(seen.status);
    expect(['upstream_unreachable', 'no_target_available']).toContain(seen.error!.code!);
  });
}

for (const fault of ['stale', 'stale-reset']) {
  const tried = fault === 'stale' ? everyClient : everyWay;
  tried(
    `a kept connection that was closed meanwhile (${fault}) is replaced at once and counts against no target`,
    async ({ rig, stream, ask }) => {
      const model = fresh(fault);
      const seen = [];
      for (let n = 0; n < 2 * FAILURES; n += 1) seen.push(await ask(`broken/${model}`));
      for (const each of seen) expectWhole(each, stream);
      const faults = [];
      for (const each of seen)
        faults.push(...(await rig.recordOf(each)).attempt_log.map((attempt) => attempt.fault));
      expect(faults).toContain('stale_connection');
      expect(new Set(faults)).toEqual(new Set(['stale_connection', null]));
      const { targets } = await rig.provider('broken');
      expect(targets.find((target) => target.model === model)!.breaker).toBe('closed');
    },
  );
}
