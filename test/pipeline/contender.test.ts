import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Contender } from '../../src/pipeline/attempts/contender.ts';
import type { Target } from '../../src/pipeline/targets/target.ts';
import type { ProxyError } from '../../src/errors.ts';
import { leastBad, leaveOutSmaller, soonest, worthWaitingMs } from '../../src/pipeline/attempts/contender.ts';
import { call, contender, failing, lacking, limited, refused, targets } from '../properties/targets.ts';

const NOW = 10_000;
const fail = (target: Target, error: ProxyError, nowMs = NOW) =>
  target.fail(target.begin(call(), nowMs), error, nowMs, nowMs);

/** A state that a target can be in at 10 s, and what the documentation says about it. */
interface State {
  /** When it can be tried, and how long waiting for it is worthwhile. */
  readonly readyMs: number;
  readonly waitMs: number;
  /** Whether it can be tried if nothing better is available: as the only target, and among others. */
  readonly alone: boolean;
  readonly asked: boolean;
  readonly reach: (target: Target) => void;
}

const STATES: Readonly<Record<string, State>> = {
  free: { readyMs: NOW, waitMs: 0, alone: true, asked: true, reach: () => undefined },
  paused: {
    readyMs: NOW + 3_000,
    waitMs: 3_000,
    alone: false,
    asked: false,
    reach: (target) => fail(target, limited(3_000)),
  },
  'paused by our own will': {
    readyMs: NOW + 4_000,
    waitMs: 4_000,
    alone: true,
    asked: true,
    reach: (target) => fail(target, limited(), NOW - 1_000),
  },
  'just tripped': {
    readyMs: NOW + 2_000,
    waitMs: Infinity,
    alone: false,
    asked: true,
    reach: (target) => fail(target, failing),
  },
  tripped: {
    readyMs: NOW + 500,
    waitMs: Infinity,
    alone: true,
    asked: true,
    reach: (target) => fail(target, failing, NOW - 1_500),
  },
  due: {
    readyMs: NOW,
    waitMs: 0,
    alone: true,
    asked: true,
    reach: (target) => fail(target, failing, NOW - 2_000),
  },
  'being tried': {
    readyMs: NOW + 9_000,
    waitMs: 50,
    alone: false,
    asked: true,
    reach(target) {
      fail(target, failing, NOW - 4_000);
      target.begin(call(), NOW - 1_000);
    },
  },
  'lacking and paused': {
    readyMs: NOW + 5_000,
    waitMs: Infinity,
    alone: false,
    asked: false,
    reach(target) {
      const late = target.begin(call(), NOW);
      fail(target, lacking);
      target.fail(late, limited(3_000), NOW, NOW);
    },
  },
};
const names = Object.keys(STATES);

function lined(list: readonly { state: string; out: boolean }[]): Contender[] {
  return list.map(({ state, out }) => {
    const [target] = targets().models;
    STATES[state]!.reach(target);
    return contender(target, out);
  });
}

/** All contenders are equal by value, so only `toBe` can distinguish them. */
function expectSoonest(
  contenders: readonly Contender[],
  first: Contender | undefined,
  readyMs: number,
  again?: Contender,
): void {
  const found = soonest(contenders, NOW, again);
  expect(found.contender).toBe(first);
  expect(found.readyAtMs).toBe(readyMs);
}

const line = fc.array(fc.record({ state: fc.constantFrom(...names), out: fc.boolean() }), { maxLength: 6 });

describe('among the contenders of a request,', () => {
  test.each(names)('one in the state "%s" behaves as documented', (name) => {
    const { readyMs, waitMs, alone, asked } = STATES[name]!;
    const [one] = lined([{ state: name, out: false }]) as [Contender];
    expectSoonest([one], one, readyMs);
    expect(worthWaitingMs([one], NOW)).toBe(waitMs);
    expect(leastBad([one], NOW, true)).toBe(alone ? one : undefined);
    expect(leastBad([one], NOW, false)).toBe(asked ? one : undefined);
  });

  test('the first one that is ready soonest is chosen, and one that is out never is', () => {
    fc.assert(
      fc.property(line, fc.boolean(), (list, alone) => {
        const contenders = lined(list);
        const known = list.map(({ state }, n) => ({ ...STATES[state]!, ...list[n]!, one: contenders[n]! }));
        const left = known.filter(({ out }) => !out);
        const readyMs = Math.min(...left.map((each) => each.readyMs));
        const first = left.find((each) => each.readyMs === readyMs)?.one;
        expectSoonest(contenders, first, readyMs);
        expect(worthWaitingMs(contenders, NOW)).toBe(Math.min(Infinity, ...left.map(({ waitMs }) => waitMs)));
        const askable = left.filter((each) => (alone ? each.alone : each.asked));
        const bestMs = Math.min(...askable.map((each) => each.readyMs));
        expect(leastBad(contenders, NOW, alone)).toBe(askable.find((each) => each.readyMs === bestMs)?.one);
      }),
      { numRuns: 300 },
    );
  });

  test('one that is retried goes before all others when it is ready', () => {
    const [before, again] = lined([
      { state: 'free', out: false },
      { state: 'paused by our own will', out: false },
    ]) as [Contender, Contender];
    expectSoonest([before, again], again, NOW, again);
    expectSoonest([before, again], before, NOW);
    expect(worthWaitingMs([again], NOW, again)).toBe(0);
    const [told] = lined([{ state: 'paused', out: false }]) as [Contender];
    expect(soonest([told, before], NOW, told).contender).toBe(before);
  });

  test('one with a refused key is waited for while its other key is on cooldown', () => {
    const [target] = targets(2).models;
    fail(target, refused);
    fail(target, limited(1_000));
    expect(worthWaitingMs([contender(target)], NOW)).toBe(1_000);
  });

  test('those with a known context window that is too small are left out', () => {
    const window = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 6 }), fc.nat(5), window, (sizes, at, told) => {
        const contenders = sizes.map(() => contender(targets().models[0]));
        const windowOf = (each: Contender) => sizes[contenders.indexOf(each)];
        const failed = contenders[at % sizes.length]!;
        leaveOutSmaller(contenders, failed, windowOf, told);
        const tooSmall = told ?? windowOf(failed);
        for (const [n, { out }] of contenders.entries()) {
          const size = sizes[n];
          const known = size !== undefined && tooSmall !== undefined && size <= tooSmall;
          expect(out).toBe(known || contenders[n] === failed);
        }
      }),
    );
  });
});
