/** How meters are divided among the groups whose callers need them. */
import { describe, expect, test } from 'bun:test';
import type { LimitConfig, RateLimitConfig } from '../../src/config/schema/groups.ts';
import type { Charge, Ledger } from '../../src/limits/ledger.ts';
import type { Limit } from '../../src/limits/limit.ts';
import { limit, rateLimit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import { meterOf } from '../../src/limits/plan.ts';

const NOW_MS = 1_796_000_000_000;

const ofGroup = (name: string): Limit =>
  limitsOf([limit.parse({ requests: 1, per: 'day' }) as LimitConfig], {
    name: `each user of group ${name}`,
    apart: ['user'],
  })[0]!;
const [ofEverybody] = limitsOf(
  [rateLimit.parse({ requests: 1, per: 'day', each: ['group', 'user'] }) as RateLimitConfig],
  { name: 'everybody', apart: [] },
);

/** Sends the first request of a user. @returns whether it was admitted: it is the second of a meter otherwise */
function first(ledger: Ledger, each: Limit, group: string, user: string): boolean {
  const parts = { key: '', group, user, address: '', model: '', endpoint: 'chat' };
  const charge: Charge = {
    limit: each,
    meter: meterOf(each, parts),
    most: 1,
    amount: 1,
    known: 1,
    lenient: false,
  };
  return ledger.reserve([charge], NOW_MS).kind === 'taken';
}

describe('a group with many users', () => {
  test.each<[string, (group: string) => Limit]>([
    ['with a limit of its own', ofGroup],
    ['under a limit for all groups', () => ofEverybody!],
  ])('leaves meters to those of other groups: %s', (_, limitOf) => {
    const ledger = new MemoryLedger(new Map(), 1_000);
    const admitted = (group: string, users: number) => {
      let count = 0;
      for (let user = 0; user < users; user += 1)
        if (first(ledger, limitOf(group), group, `${user}`)) count += 1;
      return count;
    };
    // Eight ninths of the 900 that are not reserved for callers, and one meter for all others.
    expect(admitted('large', 5_000)).toBe(801);
    expect(admitted('second', 5_000)).toBeGreaterThan(80);
    expect(admitted('small', 5)).toBe(5);
    for (let group = 0; group < 5; group += 1) expect(admitted(`small ${group}`, 1)).toBe(1);
    // Keys and groups keep theirs.
    const [ofKeys] = limitsOf([limit.parse({ requests: 1, per: 'day' }) as LimitConfig], {
      name: 'each key of group large',
      apart: ['key'],
    });
    const key = { limit: ofKeys!, most: 1, amount: 1, known: 1, lenient: false };
    for (let index = 0; index < 90; index += 1) {
      const answer = ledger.reserve([{ ...key, meter: `${ofKeys!.id} | ["${index}"]` }], NOW_MS);
      expect(answer.kind).toBe('taken');
    }
  });
});
