import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Limits } from '../../src/pipeline/streams/timers.ts';
import { ProxyError } from '../../src/errors.ts';
import { AttemptTimers } from '../../src/pipeline/streams/timers.ts';
import { FakeClock } from '../helpers/clock.ts';

const ms = fc.integer({ min: 1, max: 40 });
const limits: fc.Arbitrary<Limits> = fc.record({
  // Half of the limit is used.
  connect: ms.map((half) => half * 2),
  first_byte: ms,
  first_content: ms,
  idle: ms,
  total: ms.map((some) => some * 2),
});

/** The attempt's share of a deadline, if other targets may still be tried. */
const shares = fc.option(ms, { nil: undefined });

/** The events that the attempt reports, and for how many milliseconds nothing happens after each. */
const word = fc.constantFrom(
  'answered',
  'begun',
  'listen',
  'heard',
  'listen',
  'heard',
  'progressed',
  'committed',
  'none',
) as fc.Arbitrary<Word>;
type Word = 'answered' | 'begun' | 'committed' | 'listen' | 'heard' | 'progressed' | 'none';
const story = fc.array(fc.tuple(word, fc.nat(12)), { maxLength: 30, size: 'max' });

/** When each limit is due as documented, in milliseconds from the beginning. */
class Model {
  readonly #limits: Limits;
  readonly #stream: boolean;
  readonly #reachable: boolean;
  #answered = false;
  #begun = false;
  #listeningSinceMs: number | undefined;
  /** How long content may still take, from the moment when something waits for it. */
  #contentLeftMs: number | undefined;
  #shareMs: number;
  /** When that time is over, while something waits. */
  #awaitedMs = Infinity;

  constructor(given: Limits, stream: boolean, reachable: boolean, shareMs = Infinity) {
    this.#limits = given;
    this.#shareMs = shareMs;
    this.#stream = stream;
    this.#reachable = reachable;
  }

  hear(said: Word, nowMs: number): void {
    if (said === 'answered') this.#answered = true;
    if (said === 'committed') this.#shareMs = Infinity;
    if (said === 'begun' || (said === 'answered' && !this.#stream)) this.#begun = true;
    if (said === 'listen' && this.#begun) {
      this.#listeningSinceMs = nowMs;
      this.#contentLeftMs ??= this.#limits.first_content;
      if (this.#awaitedMs === Infinity) this.#awaitedMs = nowMs + this.#contentLeftMs;
    }
    if (said === 'heard') {
      if (this.#contentLeftMs !== undefined && this.#awaitedMs !== Infinity)
        this.#contentLeftMs = this.#awaitedMs - nowMs;
      this.#listeningSinceMs = undefined;
      this.#awaitedMs = Infinity;
    }
    if (said === 'progressed') this.#contentLeftMs = undefined;
  }

  /** The limit that has expired now. */
  over(nowMs: number): keyof Limits | 'share' | undefined {
    const { connect, first_byte, first_content, idle, total } = this.#limits;
    if (!this.#answered && nowMs >= first_byte) return 'first_byte';
    if (this.#stream && !this.#begun && nowMs >= first_content) return 'first_content';
    if (this.#listeningSinceMs !== undefined && nowMs >= this.#listeningSinceMs + idle) return 'idle';
    if (nowMs >= total) return 'total';
    if (this.#listeningSinceMs !== undefined && nowMs >= this.#awaitedMs) return 'idle';
    if (nowMs >= this.#shareMs) return 'share';
    return !this.#answered && !this.#reachable && nowMs === connect / 2 ? 'connect' : undefined;
  }
}

function started(given: Limits, stream: boolean, reachable: boolean, shareMs?: number) {
  const clock = new FakeClock();
  const expired: string[] = [];
  const timers = new AttemptTimers({
    clock,
    limits: given,
    target: 'a/b',
    stream,
    share: shareMs === undefined ? undefined : { ms: shareMs, late: new ProxyError('timeout_share', 'late') },
    reachable: () => Promise.resolve(reachable),
    expired: ({ fault }) => void expired.push(fault.replace('timeout_', '')),
  });
  const tell = (said: Word) => {
    if (said === 'answered') timers.answered(stream);
    else if (said !== 'none') timers[said]();
  };
  return { clock, expired, timers, tell };
}

/** Lets callbacks of resolved promises run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
}

describe('AttemptTimers', () => {
  test('ends the attempt when its first limit expires, at that exact millisecond, and once', async () => {
    await fc.assert(
      fc.asyncProperty(
        limits,
        shares,
        fc.tuple(fc.boolean(), fc.boolean()),
        story,
        async (given, shareMs, [stream, reachable], told) => {
          const { clock, expired, timers, tell } = started(given, stream, reachable, shareMs);
          const model = new Model(given, stream, reachable, shareMs);
          let nowMs = 0;
          for (const [said, quietMs] of told) {
            tell(said);
            model.hear(said, nowMs);
            for (const endMs = nowMs + quietMs; nowMs < endMs;) {
              clock.advance(1);
              await settled();
              nowMs += 1;
              const limit = model.over(nowMs);
              expect(expired).toEqual(limit === undefined ? [] : [limit]);
              expect(clock.timers).toBe(limit === undefined ? 1 : 0);
              if (limit !== undefined) return;
            }
          }
          timers.stop();
          expect(clock.timers).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('reports nothing more once it expired or was stopped, whatever happens then', () => {
    fc.assert(
      fc.property(ms, fc.boolean(), story, fc.boolean(), story, (idle, stream, before, stops, after) => {
        const others = { connect: 200, first_byte: 200, first_content: 200, total: 1_000 };
        const { clock, expired, timers, tell } = started({ ...others, idle }, stream, true);
        const live = (told: typeof before) => {
          for (const [said, quietMs] of told) {
            tell(said);
            clock.advance(quietMs);
          }
        };
        live(before);
        if (stops) timers.stop();
        else clock.advance(others.total);
        const known = expired.length;
        live(after);
        expect([clock.timers, expired.length]).toEqual([0, known]);
      }),
      { numRuns: 300 },
    );
  });
});
