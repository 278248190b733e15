import type { Proxy } from '../proxy.ts';
import type { Listener } from '../server/listen.ts';
import type { ProgramLog } from './log.ts';

/** The end of a proxy: requests finish; a second signal ends them. */
export class Stopping {
  readonly #proxy: Proxy;
  readonly #listener: Listener;
  readonly #limitMs: number;
  readonly #log: ProgramLog;
  begun = false;

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
    const pending = this.#listener.pending();
    if (pending > 0)
      this.#log.info(`${why}: waiting for ${pending} request${pending === 1 ? '' : 's'} to finish`);
    const all = await this.#listener.drain(this.#limitMs, this.#proxy.cut);
    if (!all) this.#log.warn('server.drain_timeout has passed: requests were cut');
    await this.#proxy.close();
  }

  /** Ends what still runs. */
  async cut(why: string): Promise<void> {
    this.#log.warn(`${why} again: stopping now`);
    await this.#listener.stop(this.#proxy.cut);
  }
}
