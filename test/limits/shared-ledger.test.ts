import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import type { Charge, Ledger, Reservation } from '../../src/limits/ledger.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import { claimState } from '../../src/limits/shared-keeper.ts';
import { SharedLedger } from '../../src/limits/shared-ledger.ts';
import { openState } from '../../src/limits/state-file.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).toReversed()) clean();
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'llmproxy-ledger-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  cleanups.push(claimState(path));
  return path;
}

function shared(path: string, worker: number, maxMeters = 1_000, told: string[] = []): SharedLedger {
  const db = openState(path);
  cleanups.push(() => db.close());
  const onProblem = (message: string) => void told.push(message);
  return new SharedLedger(db, { worker, maxMeters, directory: 'state', onProblem });
}

const LIMITS = limitsOf(
  [
    { requests: 4, per: 'minute' },
    { tokens: 50, per: 'minute', window: 'calendar' },
    { budget: 3e-9, per: 'hour' },
    { concurrent: 3 },
  ].map((each) => limit.parse(each) as LimitConfig),
  { name: 'group g', apart: [] },
);

const charge = (index: number, amount: number, known: number, whose = 'g'): Charge => {
  const each = LIMITS[index]!;
  return { limit: each, meter: `${each.id} ${whose}`, most: each.most, amount, known, lenient: false };
};

const amounts = fc
  .tuple(fc.nat(30), fc.nat(30))
  .map(([amount, known]) => ({ amount, known: Math.min(amount, known) }));
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('reserve' as const), tokens: amounts, worker: fc.nat(1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(20), used: fc.nat(40) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('extend' as const),
      which: fc.nat(20),
      by: fc.nat(20),
      used: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(90_000) }) },
);

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
      for (const clean of cleanups.splice(0).toReversed()) clean();
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

test('a state directory has one owner at a time', () => {
  const path = directory();
  expect(() => claimState(path)).toThrow('another llmproxy uses it');
});

/** Another program locks the file for writing, so that nobody else can write. */
function locked(path: string): () => void {
  const db = openState(path);
  db.run('BEGIN IMMEDIATE');
  const unlock = () => {
    if (db.inTransaction) db.run('COMMIT');
    db.close();
  };
  return unlock;
}

const taken = (answer: ReturnType<SharedLedger['reserve']>) => {
  if (answer.kind !== 'taken') throw new Error('it was refused');
  return answer;
};

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
  expect(told[0]).toContain('Cannot count usage in state: ');
  unlock();
  expect(ledger.catchUp(nowMs)).toBe(true);
  expect(told.slice(1)).toEqual(['Usage is counted in state again']);
  for (const each of [ledger, other]) {
    expect(used(each, 0)).toMatchObject({ used: 4, reserved: 0 });
    expect(used(each, 1)).toMatchObject({ used: 40, reserved: 0 });
    expect(used(each, 3)).toMatchObject({ used: 0, reserved: 0 });
  }
  expect(other.reserve([charge(0, 1, 1)], nowMs).kind).toBe('refused');
}, 20_000);

test('a file that sometimes cannot be written does not change what is counted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(step, fc.constant({ do: 'lock' as const })), { minLength: 8, maxLength: 25 }),
      (steps) => {
        const path = directory();
        const ledger = shared(path, 1);
        const alone = new MemoryLedger(new Map(), 1_000);
        const open: { theirs: ReturnType<typeof taken>; ours: Reservation }[] = [];
        let unlock: (() => void) | undefined;
        let nowMs = 1_796_000_000_000;
        for (const each of steps) {
          if (each.do === 'lock') {
            unlock = unlock ? void unlock() : locked(path);
          } else if (each.do === 'wait') nowMs += each.ms;
          else if (each.do === 'reserve') {
            const { amount, known } = each.tokens;
            const charges = [
              charge(0, 1, 1),
              charge(1, amount, known),
              charge(2, amount, known),
              charge(3, 1, 1),
            ];
            const theirs = ledger.reserve(charges, nowMs);
            const ours = alone.reserve(charges, nowMs);
            expect(theirs.kind).toBe(ours.kind);
            if (theirs.kind === 'taken' && ours.kind === 'taken') {
              expect(theirs.held).toEqual(ours.held);
              open.push({ theirs, ours });
            }
          } else if (each.do === 'settle') {
            const [found] = open.splice(each.which, 1);
            if (!found) continue;
            ledger.settle(found.theirs, [each.used % 2, each.used, each.used, 0], nowMs);
            alone.settle(found.ours as never, [each.used % 2, each.used, each.used, 0], nowMs);
          } else {
            const found = open[each.which];
            if (!found) continue;
            expect(ledger.extend(found.theirs, 1, each.by, nowMs, each.used)).toBe(
              alone.extend(found.ours as never, 1, each.by, nowMs, each.used),
            );
          }
          for (const [index, each2] of LIMITS.entries()) {
            const { meter } = charge(index, 0, 0);
            expect(ledger.read(each2, meter, nowMs)).toEqual(alone.read(each2, meter, nowMs));
          }
        }
        unlock?.();
        expect(ledger.catchUp(nowMs)).toBe(true);
        const next = shared(path, 2);
        for (const [index, each] of LIMITS.entries()) {
          const { meter } = charge(index, 0, 0);
          expect(next.read(each, meter, nowMs)).toEqual(alone.read(each, meter, nowMs));
        }
        for (const clean of cleanups.splice(0).toReversed()) clean();
      },
    ),
    { numRuns: 6 },
  );
}, 60_000);

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
  expect(told[0]).toContain('Cannot count usage in state');
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
});
