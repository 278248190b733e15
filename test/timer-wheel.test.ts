import { expect, test } from 'bun:test';
import { systemClock } from '../src/clock.ts';
import { TimerWheel } from '../src/timer-wheel.ts';

/** A wheel whose time passes when it is told to; `running` tells whether it has a timer. */
function wheelOf() {
  let nowMs = 1_000.5;
  let tick: (() => void) | undefined;
  const thrown: unknown[] = [];
  const wheel = new TimerWheel({
    monotonic: () => nowMs,
    every(_ms, action) {
      tick = action;
      return () => (tick = undefined);
    },
    thrown: (error) => thrown.push(error),
  });
  return {
    wheel,
    thrown,
    running: () => tick !== undefined,
    pass(ms: number) {
      for (const endMs = nowMs + ms; nowMs < endMs;) {
        nowMs = Math.min(endMs, nowMs + 50);
        tick?.();
      }
    },
    jump(ms: number) {
      nowMs += ms;
      tick?.();
    },
  };
}

test('A wait ends no earlier than asked, and at most one tick later', () => {
  for (const ms of [500, 501, 549, 550, 777.7, 60_000]) {
    const { wheel, pass } = wheelOf();
    let ended = 0;
    wheel.after(ms, () => (ended += 1));
    pass(ms - 1);
    expect([ms, ended]).toEqual([ms, 0]);
    pass(101);
    expect([ms, ended]).toEqual([ms, 1]);
    pass(1_000);
    expect(ended).toBe(1);
  }
});

test('A cancelled wait does not end, and those beside it do, in their order', () => {
  const { wheel, pass } = wheelOf();
  const ended: string[] = [];
  wheel.after(900, () => ended.push('late'));
  const cancel = wheel.after(600, () => ended.push('cancelled'));
  wheel.after(600, () => ended.push('early'));
  cancel();
  cancel();
  pass(1_000);
  expect(ended).toEqual(['early', 'late']);
});

test('A wait may cancel another that is due with it, and begin a new one', () => {
  const { wheel, pass } = wheelOf();
  const ended: string[] = [];
  wheel.after(600, () => {
    cancel();
    wheel.after(600, () => ended.push('next'));
  });
  const cancel = wheel.after(600, () => ended.push('cancelled'));
  pass(1_500);
  expect(ended).toEqual(['next']);
});

test('All that came due while the loop was held ends at once; what throws keeps nothing back', () => {
  const { wheel, jump, thrown } = wheelOf();
  const ended: number[] = [];
  wheel.after(500, () => {
    throw new Error('broken');
  });
  for (const ms of [500, 700, 4_000]) wheel.after(ms, () => ended.push(ms));
  jump(5_000);
  expect(ended).toEqual([500, 700, 4_000]);
  expect(thrown).toEqual([new Error('broken')]);
});

test('No timer runs while nothing waits', () => {
  const { wheel, running, pass } = wheelOf();
  expect(running()).toBe(false);
  const cancel = wheel.after(500, () => undefined);
  expect(running()).toBe(true);
  cancel();
  wheel.after(500, () => undefined);
  pass(700);
  expect(running()).toBe(false);
  let again = 0;
  wheel.after(500, () => (again += 1));
  pass(700);
  expect(again).toBe(1);
});

test('A long wait of the system clock ends', async () => {
  const beganMs = systemClock.monotonic();
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.after(500, resolve);
  await promise;
  expect(systemClock.monotonic() - beganMs).toBeGreaterThanOrEqual(500);
});
