/** Workers whose file cannot be written: each attempt waits for a second. */
import { afterEach, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Reservation } from '../../src/limits/ledger.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import type { SharedLedger } from '../../src/limits/shared-ledger.ts';
import { charge, cleanUp, directory, LIMITS, locked, shared, step, taken } from './shared-ledgers.ts';

afterEach(cleanUp);

test('a file that sometimes cannot be written does not change what is counted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(step, fc.constant({ do: 'lock' as const })), { minLength: 8, maxLength: 25 }),
      (steps) => {
        const path = directory();
        const workers = [shared(path, 1), shared(path, 2)];
        const alone = new MemoryLedger(new Map(), 1_000);
        const open: { ledger: SharedLedger; theirs: ReturnType<typeof taken>; ours: Reservation }[] = [];
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
            const ledger = workers[each.worker]!;
            const theirs = ledger.reserve(charges, nowMs);
            const ours = alone.reserve(charges, nowMs);
            expect(theirs.kind).toBe(ours.kind);
            if (theirs.kind === 'taken' && ours.kind === 'taken') {
              expect(theirs.held).toEqual(ours.held);
              open.push({ ledger, theirs, ours });
            }
          } else if (each.do === 'settle') {
            const [found] = open.splice(each.which, 1);
            if (!found) continue;
            found.ledger.settle(found.theirs, [each.used % 2, each.used, each.used, 0], nowMs);
            alone.settle(found.ours as never, [each.used % 2, each.used, each.used, 0], nowMs);
          } else {
            const found = open[each.which];
            if (!found) continue;
            expect(found.ledger.extend(found.theirs, 1, each.by, nowMs, each.used)).toBe(
              alone.extend(found.ours as never, 1, each.by, nowMs, each.used),
            );
          }
          for (const [index, each2] of LIMITS.entries()) {
            const { meter } = charge(index, 0, 0);
            for (const ledger of workers)
              expect(ledger.read(each2, meter, nowMs)).toEqual(alone.read(each2, meter, nowMs));
          }
        }
        unlock?.();
        for (const ledger of workers) expect(ledger.catchUp(nowMs)).toBe(true);
        const next = shared(path, 3);
        for (const [index, each] of LIMITS.entries()) {
          const { meter } = charge(index, 0, 0);
          expect(next.read(each, meter, nowMs)).toEqual(alone.read(each, meter, nowMs));
        }
        cleanUp();
      },
    ),
    { numRuns: 6 },
  );
}, 60_000);

test('workers together do not exceed a limit while the file cannot be written, even if they are killed', () => {
  const path = directory();
  const nowMs = 1_796_000_000_000;
  const [first, second] = [shared(path, 1), shared(path, 2)];
  const one = [charge(0, 1, 1), charge(3, 1, 1)];
  const begun = taken(first.reserve(one, nowMs));
  const unlock = locked(path);
  // Four requests in all, three of them at once.
  expect(second.reserve(one, nowMs).kind).toBe('taken');
  expect(first.reserve(one, nowMs).kind).toBe('taken');
  expect(second.reserve(one, nowMs).kind).toBe('refused');
  first.settle(begun, [1, 0], nowMs);
  expect(second.reserve(one, nowMs).kind).toBe('taken');
  expect(first.reserve([charge(0, 1, 1)], nowMs).kind).toBe('refused');
  // Another process with the number of the first one: its requests stay counted, and what it held is released.
  const next = shared(path, 1);
  expect(next.read(LIMITS[3]!, charge(3, 0, 0).meter, nowMs)).toMatchObject({ reserved: 2 });
  expect(next.reserve([charge(0, 1, 1)], nowMs).kind).toBe('refused');
  unlock();
  for (const each of [second, next]) {
    expect(each.catchUp(nowMs + 1_000)).toBe(true);
    expect(each.read(LIMITS[0]!, charge(0, 0, 0).meter, nowMs)).toMatchObject({ used: 4 });
    expect(each.read(LIMITS[3]!, charge(3, 0, 0).meter, nowMs)).toMatchObject({ reserved: 2 });
  }
}, 60_000);
