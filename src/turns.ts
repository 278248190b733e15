/** Splits long work into short turns, so that the event loop stays responsive. */

/** Work that yields where it may be interrupted, and returns a result. */
export type Steps<T> = Generator<void, T>;

/** Whether a value is unfinished work rather than a result. */
export function isSteps<T extends object | undefined>(given: T | Steps<T>): given is Steps<T> {
  return given !== undefined && Symbol.iterator in given && 'throw' in given;
}

/** How long one turn may block the event loop, milliseconds. */
const TURN_MS = 8;

/** When the first work in this iteration of the event loop began; `undefined` before it. */
let beganMs: number | undefined;

export interface Turns {
  /**
   * Runs the work, and pauses whenever this iteration of the event loop has lasted long enough. Short work completes at
   * once.
   */
  run<T>(steps: Steps<T>): T | Promise<T>;
  /** Waits for the next iteration if this one has lasted long enough, whichever work took the time. */
  pause(): Promise<void> | undefined;
}

export const turns: Turns = {
  run(steps) {
    for (;;) {
      const pause = turns.pause();
      if (pause) return runAfter(pause, steps);
      const step = steps.next();
      if (step.done) return step.value;
    }
  },
  pause() {
    const nowMs = performance.now();
    if (beganMs === undefined) {
      beganMs = nowMs;
      setImmediate(() => (beganMs = undefined));
    }
    return nowMs - beganMs < TURN_MS ? undefined : new Promise((resolve) => setImmediate(resolve));
  },
};

async function runAfter<T>(pause: Promise<void>, steps: Steps<T>): Promise<T> {
  await pause;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await turns.pause();
  }
}

/** Runs the work without pauses: for work that is known to be short, and where nothing else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
