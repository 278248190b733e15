/** Finds the cases that blocked the event loop. */
import type { Finding } from './alone.ts';
import type { Case } from './case.ts';
import type { Stage } from './stage.ts';
import { alone } from './alone.ts';
import { makeCase } from './case.ts';
import { HELD_MS } from './stage.ts';

/** How often each suspect of a long wait is rerun alone. */
const RETRIES = 3;
/** How many long waits are investigated at once. */
const MOST_WAITS = 1;
/** The maximum number of cases to rerun of those that ran during a wait. */
const MOST_WAITERS = 6;

/** A completed case, and when it ran, by `Date.now()`. */
export interface Past {
  readonly fuzzed: Case;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Looks for the cases that caused long waits.
 * @returns the number of waits for which no case was found
 */
export async function longWaits(
  { proxies }: Stage,
  over: readonly Past[],
  command: readonly string[],
  onFinding: (finding: Finding) => void,
): Promise<number> {
  let unconfirmed = 0;
  for (const [side, proxy] of proxies) {
    const waits = proxy.slow.splice(0).filter(({ heldMs }) => heldMs > HELD_MS);
    const longest = waits.sort((one, other) => other.heldMs - one.heldMs).slice(0, MOST_WAITS);
    unconfirmed += waits.length - longest.length;
    for (const slow of longest) {
      // Its record is written, and its memory released, after the answer.
      const during = over.filter(
        ({ fuzzed, fromMs, toMs }) => fuzzed.side === side && fromMs < slow.toMs && toMs + 300 > slow.fromMs,
      );
      // A case that began just before the wait is the most likely cause.
      const late = (past: Past) => Math.abs(slow.fromMs - past.fromMs);
      const suspects = during.sort((one, other) => late(one) - late(other)).slice(0, MOST_WAITERS);
      if (!(await holding(command, suspects, onFinding))) unconfirmed += 1;
    }
  }
  return unconfirmed;
}

/** The first of these cases that blocks the event loop when it runs alone. */
async function holding(
  command: readonly string[],
  suspects: readonly Past[],
  onFinding: (finding: Finding) => void,
): Promise<boolean> {
  for (const { fuzzed } of suspects) {
    const heldMs = await heldAlone(command, fuzzed);
    if (heldMs <= HELD_MS) continue;
    onFinding({ case: fuzzed, problems: [`it holds the event loop for ${Math.round(heldMs)} ms`] });
    return true;
  }
  return false;
}

/** How long a case blocks the event loop when it runs alone: the minimum of several runs. */
async function heldAlone(command: readonly string[], fuzzed: Case): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < RETRIES && least > HELD_MS; run += 1) {
    const { heldMs } = await alone(command, makeCase(fuzzed.seed, fuzzed.number, 0));
    least = Math.min(least, heldMs);
  }
  return least;
}
