import type { Clock } from '../clock.ts';
import type { UsageOptions } from './options.ts';
import type { UsageReport } from './report.ts';
import { ProxyError } from '../errors.ts';
import { CountingThread } from './threads.ts';

/** The most reports that may be queued; further ones are rejected. */
const MAX_WAITING = 16;

/** How long a report is reused for the same parameters, milliseconds. */
const FRESH_MS = 5_000;

/** The number of cached reports. */
const MAX_REMEMBERED = 32;

/** How long an idle thread is kept, milliseconds. */
const IDLE_MS = 60_000;

interface Answer {
  readonly report: Promise<UsageReport>;
  /** When it expires; `Infinity` while it is being made. */
  untilMs: number;
}

/**
 * Makes usage reports while the proxy serves: in a single thread, one report at a time, so that neither the event loop
 * nor the other processors are occupied. Equal requests share a report for some seconds.
 */
export class UsageReader {
  readonly #clock: Clock;
  readonly #answers = new Map<string, Answer>();
  #thread: CountingThread | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #cancelIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param question identifies equal requests: the parameters before relative times are resolved
   * @throws ProxyError `unavailable` when too many are queued; InputError when the log cannot be read
   */
  ask(question: string, options: UsageOptions): Promise<UsageReport> {
    const nowMs = this.#clock.monotonic();
    for (const [key, { untilMs }] of this.#answers) if (untilMs <= nowMs) this.#answers.delete(key);
    const known = this.#answers.get(question);
    if (known) return known.report;
    if (this.#waiting >= MAX_WAITING) {
      const message = 'Cannot read the usage: too many requests at once';
      throw new ProxyError('unavailable', message, { retryAfterMs: 1_000 });
    }
    const answer: Answer = { report: this.#inTurn(options), untilMs: Infinity };
    const settle = (freshMs: number) => () => void (answer.untilMs = this.#clock.monotonic() + freshMs);
    answer.report.then(settle(FRESH_MS), settle(0));
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MAX_REMEMBERED && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(question, answer);
    return answer.report;
  }

  /** Terminates the thread; pending reports fail. */
  close(): void {
    this.#cancelIdle?.();
    this.#thread?.close();
    this.#thread = undefined;
  }

  async #inTurn(options: UsageOptions): Promise<UsageReport> {
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#read(options));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #read(options: UsageOptions): Promise<UsageReport> {
    this.#cancelIdle?.();
    this.#thread ??= new CountingThread({ ref: false });
    try {
      return (await this.#thread.ask<'report'>({ kind: 'question', options })).report;
    } catch (error) {
      // After an unexpected error the state of the thread is unknown: the next report gets a new one.
      this.close();
      throw error;
    } finally {
      this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.close());
    }
  }
}
