import { expect, test } from 'bun:test';
import { Chain } from '../src/chain.ts';

test('Chain keeps its items in order when others are removed', () => {
  for (const removed of [[], ['a'], ['b'], ['c'], ['a', 'c'], ['c', 'b', 'a']]) {
    const chain = new Chain<string>();
    const links = new Map(['a', 'b', 'c'].map((item) => [item, chain.add(item)]));
    for (const item of removed) expect(chain.remove(links.get(item)!)).toBe(true);
    const left = ['a', 'b', 'c'].filter((item) => !removed.includes(item));
    expect([...chain]).toEqual(left);
    expect(chain.isEmpty).toBe(left.length === 0);
    chain.add('d');
    expect([...chain]).toEqual([...left, 'd']);
  }
});

test('Chain removes an item only once', () => {
  const chain = new Chain<string>();
  const [first, second] = [chain.add('a'), chain.add('b')];
  expect(chain.shift()).toBe(first);
  expect(chain.remove(first)).toBe(false);
  expect([...chain]).toEqual(['b']);
  expect(chain.remove(second)).toBe(true);
  expect(chain.shift()).toBeUndefined();
});
