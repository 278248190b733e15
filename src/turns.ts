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

/** Work that waits for its first turn, and work that has had one. */
const fresh: (() => void)[] = [];
const begun: (() => void)[] = [];
/** Whether they will be resumed. */
let given = false;
/** Whether the last turn was given to fresh work. */
let wasFresh = false;

export const turns: Turns = {
  run(steps) {
    let waiting = fresh;
    for (;;) {
      const pause = pauseIn(waiting);
      if (pause) return runAfter(pause, steps);
      const step = steps.next();
      if (step.done) return step.value;
      waiting = begun;
    }
  },
  pause: () => pauseIn(fresh),
};

function pauseIn(waiting: (() => void)[]): Promise<void> | undefined {
  const nowMs = performance.now();
  if (beganMs === undefined) {
    beganMs = nowMs;
    setImmediate(() => (beganMs = undefined));
  }
  if (nowMs - beganMs < TURN_MS) return undefined;
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (given) return;
    given = true;
    setImmediate(giveTurns);
  });
}

/** Resumes waiting work, as much as one iteration has time for: a single step may take that long. */
function giveTurns(): void {
  beganMs = performance.now();
  setImmediate(() => (beganMs = undefined));
  resumeNext();
}

/** Fresh work is usually short and goes first, but only every other time while there is other work. */
function resumeNext(): void {
  wasFresh = fresh.length > 0 && !(wasFresh && begun.length > 0);
  const resume = (wasFresh ? fresh : begun).shift();
  resume?.();
  given = fresh.length + begun.length > 0;
  // After the step of the work that was resumed.
  if (given) queueMicrotask(resumeFurther);
}

function resumeFurther(): void {
  if (performance.now() - (beganMs ?? 0) < TURN_MS) resumeNext();
  else setImmediate(giveTurns);
}

async function runAfter<T>(pause: Promise<void>, steps: Steps<T>): Promise<T> {
  await pause;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await pauseIn(begun);
  }
}

/** Runs the work without pauses: for work that is known to be short, and where nothing else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
