import { describe, expect, test } from 'bun:test';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf, UNITS_PER_USD, unitsOf } from '../../src/limits/limit.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import { shown } from '../../src/limits/refusal.ts';

const parsed = (input: object): LimitConfig => limit.parse(input);
const one = (input: object, apart: readonly ('key' | 'user')[] = []) =>
  limitsOf([parsed(input)], { name: 'group acme', apart })[0]!;

describe('the id of a limit', () => {
  const same = (a: object, b: object) => expect(one(a).id).toBe(one(b).id);
  const other = (a: object, b: object) => expect(one(a).id).not.toBe(one(b).id);

  test('does not depend on the amount', () => same({ requests: 1, per: 'day' }, { requests: 2, per: 'day' }));
  test('is the same when a default is written explicitly', () => {
    same({ requests: 1, per: 'day' }, { requests: 1, per: 'day', window: 'calendar', time_zone: 'UTC' });
    same({ requests: 1, per: 'minute' }, { requests: 1, per: 'minute', window: 'rolling' });
    same({ tokens: 1, per: 'day' }, { tokens: 1, per: 'day', count: 'both' });
  });
  test('does not depend on the order of its lists or the spelling of its time zone', () => {
    const lists = (models: string[], endpoints: string[]) => ({ tokens: 1, per: 'day', models, endpoints });
    same(lists(['a', 'b*'], ['chat', 'images.*']), lists(['b*', 'a', 'a'], ['images.*', 'chat']));
    const zone = (name: string) => ({ budget: 1, per: 'month', time_zone: name });
    same(zone('Europe/Berlin'), zone('europe/BERLIN'));
    for (const utc of ['Etc/UTC', 'utc', 'GMT', 'Etc/GMT']) same(zone('UTC'), zone(utc));
  });
  test('differs by window, kind and models', () => {
    other({ requests: 1, per: 'minute' }, { requests: 1, per: 'minute', window: 'calendar' });
    other({ requests: 1, per: 'day' }, { requests: 1, per: 'day', time_zone: 'Europe/Berlin' });
    other({ requests: 1, per: 'day' }, { tokens: 1, per: 'day' });
    other({ tokens: 1, per: 'day' }, { tokens: 1, per: 'day', count: 'input' });
    other({ tokens: 1, per: 'day' }, { tokens: 1, per: 'day', models: ['a'] });
    other({ tokens: 1, per: 'day', models: ['chat'] }, { tokens: 1, per: 'day', endpoints: ['chat'] });
  });
});

test('shown() formats money with at least two decimals', () => {
  const budget = one({ budget: 1, per: 'day' });
  const of = (usd: number) => shown(budget, Math.round(usd * UNITS_PER_USD));
  expect([0, 12.5, 1, 0.015, 0.01, 0.1, 0.1234, 0.0042, 0.00996, 0.0000000001, 1e9].map(of)).toEqual([
    '0.00 USD',
    '12.50 USD',
    '1.00 USD',
    '0.015 USD',
    '0.01 USD',
    '0.10 USD',
    '0.12 USD',
    '0.0042 USD',
    '0.01 USD',
    '0.0000000001 USD',
    '1000000000.00 USD',
  ]);
});

test('unitsOf() is exact for whole units, and rounds everything else up', () => {
  expect(unitsOf(0)).toBe(0);
  for (const units of [1, 3, 7, 123_456_789, 10_000_000_001])
    expect(unitsOf(units / UNITS_PER_USD)).toBe(units);
  expect(unitsOf(0.1 + 0.2)).toBe(3_000_000_000);
  expect(unitsOf(1.5 / UNITS_PER_USD)).toBe(2);
});

describe('MemoryLedger', () => {
  const charge = (of: ReturnType<typeof one>, meter: string, most = of.most) => ({
    limit: of,
    meter,
    most,
    amount: 1,
    known: 1,
    lenient: false,
  });

  test('counts additional callers together when there are too many, and each of the first separately', () => {
    const each = one({ requests: 2, per: 'day' }, ['key']);
    const ledger = new MemoryLedger(new Map(), 100);
    const admitted = Array.from(
      { length: 20_000 },
      (_, user) => ledger.reserve([charge(each, `${each.id} | ["${user}"]`)], 1).kind === 'taken',
    );
    expect(admitted.filter(Boolean).length).toBe(102);
    expect(admitted.slice(0, 102)).toEqual(Array(102).fill(true));
    expect(ledger.read(each, `${each.id} | ["7"]`, 1).used).toBe(1);
  });

  test('counts shared limits separately, however many callers there are', () => {
    const each = one({ requests: 1, per: 'minute' }, ['user']);
    const all = one({ requests: 5, per: 'total' });
    const ledger = new MemoryLedger(new Map(), 1);
    const ask = (user: string, atMs: number) =>
      ledger.reserve([charge(each, user), charge(all, all.id)], atMs).kind;
    expect(ask('a', 1)).toBe('taken');
    expect(ask('b', 2)).toBe('taken');
    expect(ask('c', 3)).toBe('refused');
    // Expired callers are evicted, and usage of the shared limit remains.
    expect(ask('c', 200_000)).toBe('taken');
    expect(ledger.read(all, all.id, 200_000).used).toBe(3);
  });
});

test('users that a client names leave room for the meters of other keys', () => {
  const users = one({ requests: 5, per: 'day' }, ['user']);
  const keys = one({ requests: 2, per: 'day' }, ['key']);
  const ledger = new MemoryLedger(new Map(), 20);
  const ask = (of: typeof users, whose: string) => {
    const charge = {
      limit: of,
      meter: `${of.id} | ${whose}`,
      most: of.most,
      amount: 1,
      known: 1,
      lenient: false,
    };
    return ledger.reserve([charge], 0).kind;
  };
  for (let user = 0; user < 30; user += 1) ask(users, `user-${user}`);
  expect(ask(users, 'another')).toBe('refused');
  for (const key of ['a', 'b']) expect([ask(keys, key), ask(keys, key)]).toEqual(['taken', 'taken']);
});
