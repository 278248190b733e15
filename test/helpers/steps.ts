import type { Folded } from '../../src/pipeline/lanes/lane.ts';
import type { Steps } from '../../src/turns.ts';
import { atOnce, isSteps } from '../../src/turns.ts';

/** The best of several tries counts, since other load on the machine only adds time. */
const TRIES = 5;

/** A share that needs no further try. */
const ENOUGH = 0.4;

/**
 * The share of the total time that the longest step takes, from 0 to 1: how evenly the work is divided, independent of
 * the machine's speed.
 */
export function longestShare(make: () => Steps<unknown>): number {
  let best = 1;
  for (let n = 0; n < TRIES && best > ENOUGH; n += 1) {
    const steps = make();
    const began = performance.now();
    let from = began;
    let longest = 0;
    for (let done = false; !done;) {
      done = steps.next().done ?? false;
      const now = performance.now();
      longest = Math.max(longest, now - from);
      from = now;
    }
    best = Math.min(best, longest / (from - began));
  }
  return best;
}

/** The folded result, without pauses. */
export function folded(made: Folded | Steps<Folded>): Folded {
  return isSteps(made) ? atOnce(made) : made;
}
