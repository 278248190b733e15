import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Contender } from '../../src/pipeline/attempts/contender.ts';
import type { ShareOptions } from '../../src/pipeline/attempts/share.ts';
import type { Target } from '../../src/pipeline/targets/target.ts';
import { shareOf } from '../../src/pipeline/attempts/share.ts';
import { call, contender, failing, limited, targets } from '../properties/targets.ts';

const some = (count: number) => Array.from({ length: count }, () => contender(targets().models[0]));
const options = (contenders: readonly Contender[], more: Partial<ShareOptions> = {}): ShareOptions => ({
  contenders,
  nowMs: 0,
  untilMs: 60_000,
  ofCaller: false,
  stream: true,
  ...more,
});
/** The target, with a history of answers that began after this many milliseconds. */
function paced(target: Target, ms: number): Target {
  for (let n = 0; n < 20; n += 1) target.opened(target.begin(call(), 0), 0, ms);
  return target;
}

describe('shareOf()', () => {
  test('divides the time equally among all contenders that will be ready before the deadline', () => {
    const standing = fc.constantFrom('free', 'out', 'soon', 'late');
    fc.assert(
      fc.property(
        fc.array(standing, { maxLength: 5 }),
        fc.integer({ min: 0, max: 9_000 }),
        (others, nowMs) => {
          const first = contender(targets().models[0]);
          const rest = others.map((how) => {
            const [target] = targets().models;
            const ms = how === 'soon' ? 9_999 : 10_000;
            if (how === 'soon' || how === 'late') target.fail(target.begin(call(), 0), limited(ms), 0, 0);
            return contender(target, how === 'out');
          });
          const waiting = others.filter((how) => how === 'free' || how === 'soon').length;
          const share = shareOf(first, options([first, ...rest], { nowMs, untilMs: 10_000 }));
          if (waiting === 0) expect(share).toBeUndefined();
          else expect(share?.ms).toBeCloseTo((10_000 - nowMs) / (waiting + 1));
        },
      ),
    );
  });

  test('blames the target for the operator’s deadline, and nobody for a short deadline of the caller', () => {
    const [first, second] = some(2) as [Contender, Contender];
    const late = (more: Partial<ShareOptions>) => shareOf(first, options([first, second], more))?.late;
    expect(late({})).toMatchObject({ fault: 'timeout_share', target: first.target.id });
    expect(late({})?.message).toContain('30 s');
    expect(late({ ofCaller: true, untilMs: 59_000 })?.fault).toBe('caller_share');
    // The caller is not to blame if it waits for half a minute.
    expect(late({ ofCaller: true, untilMs: 60_000 })?.fault).toBe('timeout_share');
  });

  test('blames the target even for the caller’s deadline if it was much slower than usual', () => {
    const [first, second] = some(2) as [Contender, Contender];
    paced(first.target, 8_000);
    const fault = (untilMs: number, stream = true) =>
      shareOf(first, options([first, second], { ofCaller: true, untilMs, stream }))?.late.fault;
    // Three times its usual time is 24 s.
    expect([fault(47_000), fault(48_000), fault(48_000, false)]).toEqual([
      'caller_share',
      'timeout_share',
      'caller_share',
    ]);
  });

  test('gives a target whose breaker is open no more than its usual time justifies', () => {
    const [first, second] = some(2) as [Contender, Contender];
    paced(first.target, 100);
    expect(shareOf(first, options([first, second]))?.ms).toBe(30_000);
    first.target.fail(first.target.begin(call(), 0), failing, 0, 0);
    expect(shareOf(first, options([first, second], { nowMs: 0 }))?.ms).toBe(10_000);
    expect(shareOf(first, options([first, second], { untilMs: 4_000 }))?.ms).toBe(2_000);
    second.target.fail(second.target.begin(call(), 0), failing, 0, 0);
    // The usual time of this target is unknown.
    expect(shareOf(second, options([first, second]))?.ms).toBe(30_000);
  });
});
