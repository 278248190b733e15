import type { Abort } from '../abort.ts';
import type { Exchange } from './exchange.ts';
import { Chain } from '../chain.ts';

/** The requests that run, in the order in which they came. */
export class RunningRequests {
  readonly #requests = new Chain<{ readonly abort: Abort; readonly exchange: Exchange }>();

  /** Takes one in, until it has ended. */
  add(abort: Abort, exchange: Exchange): void {
    const link = this.#requests.add({ abort, exchange });
    exchange.finally(() => this.#requests.remove(link));
  }

  /** Ends all of them. */
  abort(reason: Error): void {
    // Whatever ends takes itself out, so the list is copied first.
    const requests = [...this.#requests];
    for (const { abort } of requests) abort.abort(reason);
  }

  *[Symbol.iterator](): Iterator<Exchange> {
    for (const { exchange } of this.#requests) yield exchange;
  }
}
