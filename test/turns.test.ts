import { expect, test } from 'bun:test';
import type { Steps } from '../src/turns.ts';
import { turns } from '../src/turns.ts';

/** Longer than a turn. */
const LONG_MS = 12;

function busy(): void {
  const began = performance.now();
  while (performance.now() - began < LONG_MS);
}

/** Work with this many long steps, each of which calls `tell`. */
function* work(steps: number, tell: () => void): Steps<void> {
  for (let step = 0; step < steps; step += 1) {
    busy();
    tell();
    yield;
  }
}

/** Counts the iterations of the event loop. */
function counting(): { readonly now: () => number; readonly stop: () => void } {
  let iterations = 0;
  let over = false;
  const count = (): void => {
    iterations += 1;
    if (!over) setImmediate(count);
  };
  count();
  return { now: () => iterations, stop: () => (over = true) };
}

test('run() runs one turn in each iteration of the event loop, however many jobs wait', async () => {
  const loop = counting();
  const stepsIn = new Map<number, number>();
  const tell = () => void stepsIn.set(loop.now(), (stepsIn.get(loop.now()) ?? 0) + 1);
  await Promise.all(Array.from({ length: 8 }, () => turns.run(work(4, tell))));
  loop.stop();
  expect([...stepsIn.values()].reduce((sum, steps) => sum + steps)).toBe(32);
  expect(Math.max(...stepsIn.values())).toBe(1);
});

test('run() alternates between jobs, and runs new ones first', async () => {
  const told: string[] = [];
  const long = ['a', 'b', 'c'].map((name) => turns.run(work(6, () => told.push(name))));
  await new Promise((resolve) => setImmediate(resolve));
  const short = turns.run(work(1, () => told.push('short')));
  await Promise.all([...long, short]);
  expect(told.indexOf('short')).toBeLessThan(7);
  for (const name of ['b', 'c']) expect(told.indexOf(name)).toBeLessThan(told.lastIndexOf('a'));
});

test('run() does not let new jobs starve those that have begun', async () => {
  const told: string[] = [];
  const long = turns.run(work(4, () => told.push('long')));
  const others = Array.from({ length: 12 }, () => turns.run(work(1, () => told.push('short'))));
  await Promise.all([long, ...others]);
  expect(told.lastIndexOf('long')).toBeLessThan(told.length - 2);
});

test('run() resumes as many short jobs in an iteration as time permits', async () => {
  const loop = counting();
  const iterations = new Set<number>();
  const long = turns.run(work(1, () => {}));
  function* short(): Steps<void> {
    iterations.add(loop.now());
    yield;
  }
  await Promise.all([long, ...Array.from({ length: 50 }, () => turns.run(short()))]);
  loop.stop();
  expect(iterations.size).toBeLessThan(10);
});
