/** Long work in short turns, so that others are served between them. */

/** What pauses where others may go on, and gives a result at its end. */
export type Steps<T> = Generator<void, T>;

/** Whether something is the steps to a result, and not the result. */
export function isSteps<T extends object | undefined>(given: T | Steps<T>): given is Steps<T> {
  return given !== undefined && Symbol.iterator in given && 'throw' in given;
}

/** How long one turn may hold the event loop, milliseconds. */
const TURN_MS = 8;

/** When the first work of this turn of the loop began; `undefined` before it. */
let beganMs: number | undefined;

export interface Turns {
  /** Does the steps, with a pause whenever this turn of the loop has lasted long enough. What needs none is done at once. */
  run<T>(steps: Steps<T>): T | Promise<T>;
  /** Waits for the next turn when this one has lasted long enough, whoever's work it was. */
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

/** Does the steps without a pause: for what is known to be short, and where nobody else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
