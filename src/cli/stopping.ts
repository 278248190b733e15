import type { Proxy } from '../proxy.ts';
import type { Listener } from '../server/listen.ts';
import type { ProgramLog } from './log.ts';

/** The polling interval for requests without a connection, milliseconds. */
const LOOK_MS = 20;

/** How long aborted requests may take to be recorded in the log and the store, milliseconds. */
const LAST_WORD_MS = 500;

/** Stops a proxy: requests may finish; a second signal aborts them. */
export class Stopping {
  readonly #proxy: Proxy;
  readonly #listener: Listener;
  readonly #limitMs: number;
  readonly #log: ProgramLog;
  begun = false;
  /** The deadline of the requests. */
  #untilMs = Infinity;

  /** @param options.limitMs how long requests may take to finish */
  constructor(proxy: Proxy, listener: Listener, { limitMs, log }: { limitMs: number; log: ProgramLog }) {
    this.#proxy = proxy;
    this.#listener = listener;
    this.#limitMs = limitMs;
    this.#log = log;
  }

  /** Accepts nothing new, lets requests finish, and closes the log. @param why the name of a signal */
  async drain(why: string): Promise<void> {
    this.begun = true;
    this.#proxy.drain();
    this.#untilMs = performance.now() + this.#limitMs;
    // Background responses have no connection.
    const pending = Math.max(this.#listener.pending(), this.#proxy.inFlight());
    if (pending > 0)
      this.#log.info(`${why}: waiting for ${pending} request${pending === 1 ? '' : 's'} to finish`);
    const closed = await this.#listener.drain(this.#limitMs, this.#proxy);
    const all = (await this.#idle()) && closed;
    if (!all) {
      this.#proxy.cut();
      this.#untilMs = performance.now() + LAST_WORD_MS;
      await this.#idle();
      this.#log.warn('server.drain_timeout has passed: requests were cut');
    }
    await this.#proxy.close();
  }

  /** Aborts what still runs. */
  async cut(why: string): Promise<void> {
    this.#log.warn(`${why} again: stopping now`);
    this.#untilMs = Math.min(this.#untilMs, performance.now() + LAST_WORD_MS);
    await this.#listener.stop(this.#proxy.cut);
  }

  /** Whether every request, including those without a connection, ends in time. */
  async #idle(): Promise<boolean> {
    while (this.#proxy.inFlight() > 0) {
      if (performance.now() >= this.#untilMs) return false;
      await Bun.sleep(LOOK_MS);
    }
    return true;
  }
}
