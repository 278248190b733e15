import { afterEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Charge, Ledger, Reservation } from '../../src/limits/ledger.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import { claimState } from '../../src/limits/shared-keeper.ts';
import type { SharedLedger } from '../../src/limits/shared-ledger.ts';
import { openState } from '../../src/limits/state-file.ts';
import { charge, cleanUp, directory, LIMITS, locked, shared, step, taken } from './shared-ledgers.ts';

afterEach(cleanUp);

test('two workers count as one process would, in any order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const path = directory();
      const workers = [shared(path, 1), shared(path, 2)];
      const alone = new MemoryLedger(new Map(), 1_000);
      const open: { worker: Ledger; theirs: Reservation; ours: Reservation }[] = [];
      let nowMs = 1_796_000_000_000;
      for (const each of steps) {
        if (each.do === 'wait') nowMs += each.ms;
        else if (each.do === 'reserve') {
          const { amount, known } = each.tokens;
          const charges = [
            charge(0, 1, 1),
            charge(1, amount, known),
            charge(2, amount, known),
            charge(3, 1, 1),
          ];
          const theirs = workers[each.worker]!.reserve(charges, nowMs);
          const ours = alone.reserve(charges, nowMs);
          expect(theirs).toMatchObject(ours.kind === 'taken' ? { kind: 'taken', held: ours.held } : ours);
          if (theirs.kind === 'taken' && ours.kind === 'taken')
            open.push({ worker: workers[each.worker]!, theirs, ours });
        } else {
          const [found] = open.splice(each.which, each.do === 'settle' ? 1 : 0);
          const kept = found ?? open[each.which];
          if (!kept) continue;
          if (each.do === 'extend')
            expect(kept.worker.extend(kept.theirs, 1, each.by, nowMs, each.used)).toBe(
              alone.extend(kept.ours as never, 1, each.by, nowMs, each.used),
            );
          else {
            kept.worker.settle(kept.theirs, [1, each.used, each.used, 0], nowMs);
            alone.settle(kept.ours as never, [1, each.used, each.used, 0], nowMs);
          }
        }
        for (const [index, each2] of LIMITS.entries()) {
          const { meter } = charge(index, 0, 0);
          for (const worker of workers)
            expect(worker.read(each2, meter, nowMs)).toEqual(alone.read(each2, meter, nowMs));
        }
      }
      cleanUp();
    }),
    { numRuns: 40 },
  );
});

test('reservations of a worker are released when another replaces it', () => {
  const path = directory();
  const first = shared(path, 1);
  const other = shared(path, 2);
  expect(first.reserve([charge(3, 1, 1)], 0).kind).toBe('taken');
  expect(other.reserve([charge(3, 1, 1)], 0).kind).toBe('taken');
  expect(other.read(LIMITS[3]!, charge(3, 0, 0).meter, 0).reserved).toBe(2);
  const next = shared(path, 1);
  expect(next.read(LIMITS[3]!, charge(3, 0, 0).meter, 0).reserved).toBe(1);
});

test('usage outlives all workers, and the limits still apply', () => {
  const path = directory();
  const nowMs = 1_796_000_000_000;
  const first = shared(path, 1);
  for (let n = 0; n < 4; n += 1) {
    const taken = first.reserve([charge(0, 1, 1)], nowMs);
    if (taken.kind === 'taken') first.settle(taken, [1], nowMs);
  }
  const next = shared(path, 1);
  expect(next.reserve([charge(0, 1, 1)], nowMs + 1_000).kind).toBe('refused');
  expect(next.reserve([charge(0, 1, 1)], nowMs + 62_000).kind).toBe('taken');
});

test('beyond max_callers, new callers share a meter until others expire', () => {
  const path = directory();
  const nowMs = 1_796_000_000_000;
  const ledger = shared(path, 1, 2);
  const [apart] = limitsOf([limit.parse({ requests: 4, per: 'minute' })], { name: 'each', apart: ['key'] });
  const of = (whose: string): Charge => ({
    ...charge(0, 1, 1),
    limit: apart!,
    meter: `${apart!.id} ${whose}`,
  });
  const ask = (whose: string, at = nowMs) => ledger.reserve([of(whose)], at);
  for (const whose of ['a', 'b']) ask(whose);
  ledger.sweep(nowMs);
  // Four of these are admitted together, as they count as one.
  const kinds = ['c', 'd', 'e', 'f', 'g'].map((whose) => ask(whose).kind);
  expect(kinds).toEqual(['taken', 'taken', 'taken', 'taken', 'refused']);
  expect(ask('a').kind).toBe('taken');
  // A shared limit has its own meter, however many callers there are.
  expect(ledger.reserve([charge(0, 1, 1)], nowMs).kind).toBe('taken');
  ledger.sweep(nowMs + 120_000);
  expect(ask('g', nowMs + 120_000).kind).toBe('taken');
});

test('users of one group leave meters to those of others', () => {
  const ledger = shared(directory(), 1, 20);
  const first = (group: string, user: number): string => {
    const [each] = limitsOf([limit.parse({ requests: 1, per: 'day' })], {
      name: `each user of group ${group}`,
      apart: ['user'],
    });
    ledger.sweep(0);
    const own = { limit: each!, meter: `${each!.id} | ["${user}"]`, most: 1 };
    return ledger.reserve([{ ...charge(0, 1, 1), ...own }], 0).kind;
  };
  const large = Array.from({ length: 30 }, (_, user) => first('large', user));
  // Eight ninths of 18, and the first of all others.
  expect(large.filter((kind) => kind === 'taken').length).toBe(17);
  expect(first('small', 1)).toBe('taken');
});

test('a state directory has one owner at a time', () => {
  const path = directory();
  expect(() => claimState(path)).toThrow('another llmproxy uses it');
});

test('while the file cannot be written, limits apply, and usage is written later', () => {
  const path = directory();
  const told: string[] = [];
  const nowMs = 1_796_000_000_000;
  const ledger = shared(path, 1, 1_000, told);
  const other = shared(path, 2);
  const used = (from: SharedLedger, index: number) =>
    from.read(LIMITS[index]!, charge(index, 0, 0).meter, nowMs);
  const all = [charge(0, 1, 1), charge(1, 20, 20), charge(3, 1, 1)];
  const begun = [taken(ledger.reserve(all, nowMs)), taken(ledger.reserve(all, nowMs))];
  const unlock = locked(path);
  ledger.settle(begun[0]!, [1, 15, 0], nowMs);
  // A request that its provider rejected does not count.
  ledger.settle(begun[1]!, [0, 0, 0], nowMs);
  expect(used(ledger, 0)).toMatchObject({ used: 1, reserved: 0 });
  expect(used(ledger, 1)).toMatchObject({ used: 15, reserved: 0 });
  const next = taken(ledger.reserve(all, nowMs));
  expect(ledger.extend(next, 1, 30, nowMs)).toBe(false);
  expect(ledger.extend(next, 1, 10, nowMs)).toBe(true);
  expect(ledger.reserve([charge(1, 10, 10)], nowMs).kind).toBe('refused');
  ledger.settle(next, [1, 25, 0], nowMs);
  const kinds = Array.from({ length: 3 }, () => ledger.reserve([charge(0, 1, 1)], nowMs).kind);
  expect(kinds).toEqual(['taken', 'taken', 'refused']);
  expect(told.length).toBe(1);
  expect(told[0]).toContain(`Cannot count usage in ${path}: `);
  unlock();
  expect(ledger.catchUp(nowMs)).toBe(true);
  expect(told.slice(1)).toEqual([`Usage is counted in ${path} again`]);
  for (const each of [ledger, other]) {
    expect(used(each, 0)).toMatchObject({ used: 4, reserved: 0 });
    expect(used(each, 1)).toMatchObject({ used: 40, reserved: 0 });
    expect(used(each, 3)).toMatchObject({ used: 0, reserved: 0 });
  }
  expect(other.reserve([charge(0, 1, 1)], nowMs).kind).toBe('refused');
}, 60_000);

test.skipIf(!existsSync('/dev/shm'))(
  'a process that ends after it has written to the file, and before it has noted that, counts nothing twice',
  () => {
    const path = directory();
    const nowMs = 1_796_000_000_000;
    const [ledger, other] = [shared(path, 1), shared(path, 2)];
    const { dev, ino } = statSync(path);
    const spare = (name: string) => `/dev/shm/llmproxy-${process.getuid!()}-${dev}-${ino}/${name}`;
    const files = ['late.sqlite', 'used'].map(spare);
    const used = (from: SharedLedger) => from.read(LIMITS[1]!, charge(1, 0, 0).meter, nowMs);
    const spend = (from: SharedLedger, tokens: number) =>
      from.settle(taken(from.reserve([charge(1, tokens, tokens)], nowMs)), [tokens], nowMs);
    let unlock = locked(path);
    spend(ledger, 10);
    const held = taken(ledger.reserve([charge(1, 5, 5)], nowMs));
    const before = files.map((file) => readFileSync(file));
    unlock();
    const crash = () => {
      expect(ledger.catchUp(nowMs)).toBe(true);
      // The second commit did not happen.
      for (const [index, file] of files.entries()) writeFileSync(file, before[index]!);
    };
    crash();
    spend(other, 20);
    expect(used(other)).toMatchObject({ used: 30, reserved: 5 });
    crash();
    // The same if the file cannot be written again right away.
    unlock = locked(path);
    spend(other, 3);
    expect(used(other)).toMatchObject({ used: 33, reserved: 5 });
    unlock();
    expect(other.catchUp(nowMs + 1_000)).toBe(true);
    ledger.settle(held, [4], nowMs);
    for (const each of [ledger, other]) expect(used(each)).toMatchObject({ used: 37, reserved: 0 });
  },
);

test('a worker counts from zero if the file cannot be read either, and reports that once', () => {
  const path = directory();
  const told: string[] = [];
  const ledger = shared(path, 1, 10, told);
  const before = taken(ledger.reserve([charge(0, 1, 1)], 0));
  const db = openState(path);
  db.run('DROP TABLE holds');
  db.run('DROP TABLE meters');
  db.close();
  const kinds = Array.from({ length: 5 }, () => ledger.reserve([charge(0, 1, 1)], 0).kind);
  expect(kinds).toEqual(['taken', 'taken', 'taken', 'taken', 'refused']);
  ledger.settle(before, [1], 0);
  expect(told.length).toBe(1);
  expect(told[0]).toContain(`Cannot count usage in ${path}`);
  openState(path).close();
  expect(ledger.catchUp(0)).toBe(true);
  expect(ledger.read(LIMITS[0]!, charge(0, 0, 0).meter, 0)).toMatchObject({ used: 4, reserved: 0 });
});

test('beyond max_callers, new callers share a meter even while the file cannot be written', () => {
  const path = directory();
  const ledger = shared(path, 1, 3);
  const unlock = locked(path);
  const [apart] = limitsOf([limit.parse({ requests: 4, per: 'minute' })], { name: 'each', apart: ['user'] });
  const kinds = Array.from({ length: 8 }, (_, index) => {
    const meter = `${apart!.id} ${index}`;
    return ledger.reserve([{ ...charge(0, 1, 1), limit: apart!, meter }], 0).kind;
  });
  unlock();
  expect(kinds).toEqual([...Array(7).fill('taken'), 'refused']);
  expect(ledger.catchUp(0)).toBe(true);
});
