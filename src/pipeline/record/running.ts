import type { Abort } from '../../abort.ts';
import type { Exchange } from './exchange.ts';
import { Chain } from '../../chain.ts';

/** The requests in progress, in order of arrival. */
export class RunningRequests {
  readonly #requests = new Chain<{ readonly abort: Abort; readonly exchange: Exchange }>();

  /** Adds a request until it has ended. */
  add(abort: Abort, exchange: Exchange): void {
    const link = this.#requests.add({ abort, exchange });
    exchange.finally(() => this.#requests.remove(link));
  }

  /** Aborts all of them. */
  abort(reason: Error): void {
    // A request that ends removes itself, so the list is copied first.
    const requests = [...this.#requests];
    for (const { abort } of requests) abort.abort(reason);
  }

  *[Symbol.iterator](): Iterator<Exchange> {
    for (const { exchange } of this.#requests) yield exchange;
  }
}
