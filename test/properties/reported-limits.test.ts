import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ReportedLimit } from '../../src/wire/rate-limits.ts';
import { ReportedLimits } from '../../src/pipeline/targets/reported-limits.ts';
import { BREAKER, call, reload, targets } from './targets.ts';

const BELIEVED_MS = 60_000;
const asks = (input: number, bytes = input * 4) => ({ ...call(), bytes, need: () => ({ input, output: 0 }) });

/** A provider's evenly refilling limit, and the rate limit headers that it sends. */
class ProvidersLimit {
  readonly #limit: number;
  readonly #msEach: number;
  #left: number;
  #atMs = 0;

  constructor(limit: number, msEach: number) {
    this.#limit = limit;
    this.#msEach = msEach;
    this.#left = limit;
  }

  at(nowMs: number): number {
    return Math.min(this.#limit, this.#left + (nowMs - this.#atMs) / this.#msEach);
  }

  take(nowMs: number): ReportedLimit {
    this.#left = this.at(nowMs) - 1;
    this.#atMs = nowMs;
    const remaining = Math.max(0, Math.floor(this.#left));
    const ms = (this.#limit - remaining) * this.#msEach;
    return { counts: 'requests', limit: this.#limit, remaining, reset: { ms, moment: false } };
  }
}

/** A client sends a request, which is answered after a while, or time passes. */
type Step = { readonly answerMs: number } | { readonly ms: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ answerMs: fc.nat(3_000) }), weight: 3 },
  fc.record({ ms: fc.nat(1_500) }),
);
const steps = fc.array(step, { maxLength: 60, size: 'max' });
const limit = fc.integer({ min: 1, max: 5 });
const msEach = fc.integer({ min: 50, max: 2_000 });

interface Out {
  readonly atMs: number;
  readonly sent: ReturnType<ReportedLimits['send']>;
  readonly says: ReportedLimit;
}

/** Runs the steps, and delivers answers as they come. @param ask whether a request is sent now */
function play(
  sequence: readonly Step[],
  told: ReportedLimits,
  {
    ask,
    come,
  }: { ask: (nowMs: number) => ReportedLimit | undefined; come: (answer: Out, nowMs: number) => void },
): void {
  const out: Out[] = [];
  let nowMs = 0;
  for (const next of sequence) {
    if ('answerMs' in next) {
      const says = ask(nowMs);
      if (says) out.push({ atMs: nowMs + next.answerMs, sent: told.send(nowMs), says });
      continue;
    }
    nowMs += next.ms;
    for (const answer of out.filter(({ atMs }) => atMs <= nowMs).toSorted((a, b) => a.atMs - b.atMs)) {
      out.splice(out.indexOf(answer), 1);
      told.learn([answer.says], answer.sent, nowMs, BELIEVED_MS);
      come(answer, nowMs);
    }
  }
}

describe('ReportedLimits', () => {
  test('admits no request that the provider would refuse, in whatever order answers come', () => {
    fc.assert(
      fc.property(limit, msEach, steps, (most, each, sequence) => {
        const provider = new ProvidersLimit(most, each);
        const told = new ReportedLimits();
        let known = false;
        let first = true;
        play(sequence, told, {
          ask(nowMs) {
            // Until the first answer has reported a limit, it is unknown.
            if (!known && !first) return undefined;
            first = false;
            if (told.readyAt(asks(10), nowMs) > 0) return undefined;
            expect(provider.at(nowMs)).toBeGreaterThan(1 - 1e-6);
            return provider.take(nowMs);
          },
          come: () => void (known = true),
        });
      }),
      { numRuns: 500 },
    );
  });

  test('delays no request once the answer to the last one reports remaining capacity', () => {
    fc.assert(
      fc.property(limit, msEach, steps, (most, each, sequence) => {
        const provider = new ProvidersLimit(most, each);
        const told = new ReportedLimits();
        let sent = 0;
        play(sequence, told, {
          ask(nowMs) {
            sent += 1;
            return provider.take(nowMs);
          },
          come({ sent: { order, atMs }, says }, nowMs) {
            if (order !== sent) return;
            const left = says.remaining + (nowMs - atMs) / each;
            const freeMs = left >= 1 ? 0 : atMs + (1 - says.remaining) * each;
            expect(told.readyAt(asks(10), nowMs)).toBeCloseTo(freeMs, 6);
          },
        });
      }),
      { numRuns: 500 },
    );
  });

  test('ignores reports in answers to requests that were sent earlier', () => {
    const told = new ReportedLimits();
    const [first, second] = [told.send(0), told.send(1)];
    const says = (remaining: number): ReportedLimit[] => [
      { counts: 'requests', limit: undefined, remaining, reset: { ms: 9_000, moment: false } },
    ];
    told.learn(says(5), second, 10, BELIEVED_MS);
    told.learn(says(0), first, 20, BELIEVED_MS);
    expect(told.readyAt(asks(1), 20)).toBe(0);
    told.learn(says(0), told.send(30), 40, BELIEVED_MS);
    told.learn(says(5), second, 50, BELIEVED_MS);
    expect(told.readyAt(asks(1), 50)).toBe(9_030);
    told.learn(says(5), told.send(60), 70, BELIEVED_MS);
    expect(told.readyAt(asks(1), 70)).toBe(0);
  });

  const learned = (limit: Partial<ReportedLimit>, believedMs = BELIEVED_MS) => {
    const told = new ReportedLimits();
    const all: ReportedLimit = {
      counts: 'requests',
      limit: undefined,
      remaining: 0,
      reset: { ms: 1_000, moment: false },
      ...limit,
    };
    told.learn([all], told.send(0), 0, believedMs);
    return told;
  };

  test('delays until the reset if no answer reports the total', () => {
    const told = learned({});
    expect([told.readyAt(asks(1), 0), told.readyAt(asks(1), 999), told.readyAt(asks(1), 1_000)]).toEqual([
      1_000, 1_000, 0,
    ]);
    expect(told.usedUp(asks(1), 0)).toMatchObject({ counts: 'requests', remaining: 0, untilMs: 1_000 });
  });

  test('delays nothing for a reset of 0, or one in the past', () => {
    for (const moment of [false, true]) {
      expect(learned({ reset: { ms: 0, moment } }).readyAt(asks(1), 0)).toBe(0);
    }
    const late = new ReportedLimits();
    const limit = { counts: 'requests', limit: 1, remaining: 0, reset: { ms: 500, moment: false } } as const;
    late.learn([limit], late.send(0), 30_000, BELIEVED_MS);
    expect(late.readyAt(asks(1), 30_000)).toBe(0);
  });

  test('accepts a reset only up to the given maximum', () => {
    const told = learned({ reset: { ms: 86_400_000, moment: true } }, 5_000);
    expect([told.readyAt(asks(1), 0), told.readyAt(asks(1), 5_000)]).toEqual([5_000, 0]);
  });

  test('delays a request whose text is longer than what is left, and admits a shorter one', () => {
    const told = learned({
      counts: 'tokens',
      limit: 1_000,
      remaining: 100,
      reset: { ms: 9_000, moment: false },
    });
    expect(told.readyAt(asks(100), 0)).toBe(0);
    // It lacks 100 of 900 tokens that are refilled in 9 s.
    expect(told.readyAt(asks(200), 0)).toBeCloseTo(1_000, 6);
    // A request that can never fit waits for all of it.
    expect(told.readyAt(asks(50_000), 0)).toBeCloseTo(9_000, 6);
    // Its size in bytes alone shows that it fits.
    const unknown = { ...call(), bytes: 100, need: () => expect.unreachable() };
    expect(told.readyAt(unknown, 0)).toBe(0);
  });

  test('waits for one output token, however many are requested', () => {
    const some = learned({ counts: 'output', limit: 100, remaining: 1 });
    expect(some.readyAt({ ...asks(5_000), need: () => ({ input: 5_000, output: 5_000 }) }, 0)).toBe(0);
    expect(learned({ counts: 'output', limit: 100, remaining: 0 }).readyAt(asks(1), 0)).toBeCloseTo(10, 6);
  });
});

describe('Target.reported()', () => {
  const none: readonly ReportedLimit[] = [
    { counts: 'requests', limit: undefined, remaining: 0, reset: { ms: 2_000, moment: false } },
  ];

  test('puts one key and one model on cooldown without counting a failure', () => {
    const { models } = targets(2);
    const [target, other] = models;
    const ticket = target.begin(call(), 0);
    target.reported(ticket, none, 0);
    target.succeed(ticket, 0, 1);
    expect(target.holds(0)).toMatchObject([
      { scope: 'key', key: 0, hold: { error: { fault: 'rate_limited' } } },
    ]);
    expect([target.readyAt(call(), 0), target.held(call(), 0), other.holds(0)]).toEqual([0, [], []]);
    const second = target.begin(call(), 0);
    expect(second.key.key).toBe(1);
    target.reported(second, none, 0);
    expect([target.readyAt(call(), 0), target.lastResortAt(call(), 0, false)]).toEqual([2_000, 2_000]);
    expect([target.readyAt(call(), 2_000), target.holds(2_000), other.readyAt(call(), 0)]).toEqual([
      0,
      [],
      0,
    ]);
    expect([target.breaker.state(0), target.health.rate(0).success]).toEqual(['closed', 1]);
  });

  test('ignores keys of an earlier configuration, and accepts a cooldown of at most max_retry_after', () => {
    const rig = targets(1);
    const [target] = rig.models;
    const old = target.begin(call(), 0);
    reload(rig, 1);
    target.reported(old, none, 0);
    expect(target.readyAt(call(), 0)).toBe(0);
    const day = [{ ...none[0]!, reset: { ms: 86_400_000, moment: true } }];
    target.reported(target.begin(call(), 0), day, 0);
    expect(target.readyAt(call(), 0)).toBe(BREAKER.max_retry_after);
  });
});
