import type { Proxy } from '../proxy.ts';
import type { Listener } from '../server/listen.ts';
import type { ProgramLog } from './log.ts';

/** How often it is looked whether requests without a connection have ended, milliseconds. */
const LOOK_MS = 20;

/** How long those that are cut may take to say so in the log and the store, milliseconds. */
const LAST_WORD_MS = 500;

/** The end of a proxy: requests finish; a second signal ends them. */
export class Stopping {
  readonly #proxy: Proxy;
  readonly #listener: Listener;
  readonly #limitMs: number;
  readonly #log: ProgramLog;
  begun = false;
  /** Until when requests may take. */
  #untilMs = Infinity;

  /** @param options.limitMs how long requests may take to finish */
  constructor(proxy: Proxy, listener: Listener, { limitMs, log }: { limitMs: number; log: ProgramLog }) {
    this.#proxy = proxy;
    this.#listener = listener;
    this.#limitMs = limitMs;
    this.#log = log;
  }

  /** Takes nothing new, lets requests finish, and closes the log. @param why a signal's name */
  async drain(why: string): Promise<void> {
    this.begun = true;
    this.#proxy.drain();
    this.#untilMs = performance.now() + this.#limitMs;
    // Responses in the background have no connection.
    const pending = Math.max(this.#listener.pending(), this.#proxy.inFlight());
    if (pending > 0)
      this.#log.info(`${why}: waiting for ${pending} request${pending === 1 ? '' : 's'} to finish`);
    const closed = await this.#listener.drain(this.#limitMs, this.#proxy.cut);
    const all = (await this.#idle()) && closed;
    if (!all) {
      this.#proxy.cut();
      this.#untilMs = performance.now() + LAST_WORD_MS;
      await this.#idle();
      this.#log.warn('server.drain_timeout has passed: requests were cut');
    }
    await this.#proxy.close();
  }

  /** Ends what still runs. */
  async cut(why: string): Promise<void> {
    this.#log.warn(`${why} again: stopping now`);
    this.#untilMs = Math.min(this.#untilMs, performance.now() + LAST_WORD_MS);
    await this.#listener.stop(this.#proxy.cut);
  }

  /** Whether every request, also one that nobody waits for at a connection, comes to its end in time. */
  async #idle(): Promise<boolean> {
    while (this.#proxy.inFlight() > 0) {
      if (performance.now() >= this.#untilMs) return false;
      await Bun.sleep(LOOK_MS);
    }
    return true;
  }
}
