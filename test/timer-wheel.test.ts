import { expect, test } from 'bun:test';
import { systemClock } from '../src/clock.ts';
import { TimerWheel } from '../src/timer-wheel.ts';

/** A wheel with a clock that the test advances; `running` returns whether it has a timer. */
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

test('TimerWheel calls an action no earlier than requested, and at most one tick later', () => {
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

test('TimerWheel skips a cancelled action, and calls the others in order', () => {
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

test('TimerWheel lets an action cancel another that is due at the same time, and add a new one', () => {
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

test('TimerWheel catches up on all due actions after a blocked event loop, even if one throws', () => {
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

test('TimerWheel has no timer running while no action is pending', () => {
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

test('systemClock.after() calls a delayed action', async () => {
  const beganMs = systemClock.monotonic();
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.after(500, resolve);
  await promise;
  expect(systemClock.monotonic() - beganMs).toBeGreaterThanOrEqual(500);
});
