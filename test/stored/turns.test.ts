import { expect, test } from 'bun:test';
import { OwnersTurns } from '../../src/stored/turns.ts';

function all(turns: OwnersTurns<string>): string {
  const taken: string[] = [];
  for (let next = turns.next(); next !== undefined; next = turns.next()) taken.push(next);
  return taken.join(' ');
}

test('OwnersTurns alternates between owners, and keeps the order of each owner’s calls', () => {
  const turns = new OwnersTurns<string>();
  for (const item of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) turns.push(item[0]!, item);
  expect(turns.size).toBe(7);
  expect(all(turns)).toBe('a1 b1 c1 a2 b2 a3 a4');
  expect([turns.size, turns.next()]).toEqual([0, undefined]);
});

test('OwnersTurns puts a new owner right after those that are waiting, however many calls they have', () => {
  const turns = new OwnersTurns<string>();
  for (let at = 0; at < 1_000; at += 1) turns.push('a', `a${at}`);
  expect([turns.next(), turns.next()]).toEqual(['a0', 'a1']);
  turns.push('b', 'b0');
  expect([turns.next(), turns.next(), turns.next()]).toEqual(['a2', 'b0', 'a3']);
  turns.clear();
  expect([turns.size, turns.next()]).toEqual([0, undefined]);
});
