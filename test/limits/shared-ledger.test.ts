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
import { SteadyLedger } from '../../src/limits/steady-ledger.ts';

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

function shared(path: string, worker: number, maxMeters = 1_000): SharedLedger {
  const db = openState(path);
  cleanups.push(() => db.close());
  return new SharedLedger(db, { worker, maxMeters });
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

test('two workers count as one process would, whatever the order', () => {
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

test('what a worker held is free again when another takes its place', () => {
  const path = directory();
  const first = shared(path, 1);
  const other = shared(path, 2);
  expect(first.reserve([charge(3, 1, 1)], 0).kind).toBe('taken');
  expect(other.reserve([charge(3, 1, 1)], 0).kind).toBe('taken');
  expect(other.read(LIMITS[3]!, charge(3, 0, 0).meter, 0).reserved).toBe(2);
  const next = shared(path, 1);
  expect(next.read(LIMITS[3]!, charge(3, 0, 0).meter, 0).reserved).toBe(1);
});

test('what is used outlives all workers, and their limits hold on', () => {
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

test('beyond max_callers new ones share a meter, and what no longer counts makes room', () => {
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
  // Four of these are let in together, as they count as one.
  const kinds = ['c', 'd', 'e', 'f', 'g'].map((whose) => ask(whose).kind);
  expect(kinds).toEqual(['taken', 'taken', 'taken', 'taken', 'refused']);
  expect(ask('a').kind).toBe('taken');
  // What holds for all together has a meter of its own, however many there are.
  expect(ledger.reserve([charge(0, 1, 1)], nowMs).kind).toBe('taken');
  ledger.sweep(nowMs + 120_000);
  expect(ask('g', nowMs + 120_000).kind).toBe('taken');
});

test('a directory has one owner at a time', () => {
  const path = directory();
  expect(() => claimState(path)).toThrow('another llmproxy uses it');
});

test('while the file cannot be written, limits hold in memory, and that is told once', () => {
  const path = directory();
  const db = openState(path);
  const told: string[] = [];
  const ledger = new SteadyLedger(new SharedLedger(db, { worker: 1, maxMeters: 10 }), {
    directory: 'state',
    maxMeters: 10,
    onProblem: (message) => told.push(message),
  });
  const before = ledger.reserve([charge(0, 1, 1)], 0);
  db.run('DROP TABLE holds');
  db.run('DROP TABLE meters');
  const kinds = Array.from({ length: 5 }, () => ledger.reserve([charge(0, 1, 1)], 0).kind);
  expect(kinds).toEqual(['taken', 'taken', 'taken', 'taken', 'refused']);
  // What was reserved before cannot be settled, and nothing comes of that.
  if (before.kind === 'taken') ledger.settle(before, [1], 0);
  expect(told.length).toBe(1);
  expect(told[0]).toContain('Cannot count what is used in state');
  db.close();
});
