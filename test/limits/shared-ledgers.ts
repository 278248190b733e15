/** Ledgers of several workers on one file, and random steps of requests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { LimitConfig } from '../../src/config/schema/groups.ts';
import type { Charge } from '../../src/limits/ledger.ts';
import { limit } from '../../src/config/schema/groups.ts';
import { limitsOf } from '../../src/limits/limit.ts';
import { claimState } from '../../src/limits/shared-keeper.ts';
import { SharedLedger } from '../../src/limits/shared-ledger.ts';
import { openState } from '../../src/limits/state-file.ts';

const cleanups: (() => void)[] = [];
/** Closes the files, and deletes them. */
export function cleanUp(): void {
  for (const clean of cleanups.splice(0).toReversed()) clean();
}

export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'llmproxy-ledger-'));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  cleanups.push(claimState(path));
  return path;
}

export function shared(path: string, worker: number, maxMeters = 1_000, told: string[] = []): SharedLedger {
  const db = openState(path);
  cleanups.push(() => db.close());
  const onProblem = (message: string) => void told.push(message);
  const ledger = new SharedLedger(db, { worker, maxMeters, directory: path, onProblem });
  cleanups.push(() => ledger.close());
  return ledger;
}

export const LIMITS = limitsOf(
  [
    { requests: 4, per: 'minute' },
    { tokens: 50, per: 'minute', window: 'calendar' },
    { budget: 3e-9, per: 'hour' },
    { concurrent: 3 },
  ].map((each) => limit.parse(each) as LimitConfig),
  { name: 'group g', apart: [] },
);

export const charge = (index: number, amount: number, known: number, whose = 'g'): Charge => {
  const each = LIMITS[index]!;
  return { limit: each, meter: `${each.id} ${whose}`, most: each.most, amount, known, lenient: false };
};

const amounts = fc
  .tuple(fc.nat(30), fc.nat(30))
  .map(([amount, known]) => ({ amount, known: Math.min(amount, known) }));
export const step = fc.oneof(
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

/** Another program locks the file for writing, so that nobody else can write. */
export function locked(path: string): () => void {
  const db = openState(path);
  db.run('BEGIN IMMEDIATE');
  const unlock = () => {
    if (db.inTransaction) db.run('COMMIT');
    db.close();
  };
  return unlock;
}

export const taken = (answer: ReturnType<SharedLedger['reserve']>) => {
  if (answer.kind !== 'taken') throw new Error('it was refused');
  return answer;
};
