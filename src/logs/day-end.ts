import type { Clock } from '../clock.ts';
import { endOfDay, utcDay } from './names.ts';

/** The delay between the end of a day and the closing of its file. */
const LEAVE_MS = 1_000;

/** Signals when the day of a file is over. */
export class DayEnd {
  readonly #clock: Clock;
  readonly #over: () => void;
  #closed = false;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** Waits for the end of this day from now on. @param day of UTC, YYYY-MM-DD */
  after(day: string): void {
    this.#cancel?.();
    if (this.#closed) return;
    const waitMs = Math.max(LEAVE_MS, endOfDay(day) - this.#clock.now() + LEAVE_MS);
    this.#cancel = this.#clock.after(waitMs, () => {
      // The wall clock may have been set back.
      if (utcDay(this.#clock.now()) === day) this.after(day);
      else this.#over();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }
}
