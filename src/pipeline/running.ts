import type { Abort } from '../abort.ts';
import type { Exchange } from './exchange.ts';

/** A request, what ends it, and its neighbours. */
interface Place {
  readonly abort: Abort;
  readonly exchange: Exchange;
  before: Place | undefined;
  behind: Place | undefined;
}

/**
 * The requests that run, in the order in which they came. A list whose places know their neighbours: a `Map` with so many that come and
 * go keeps those that went in its older tables, which costs the collector of garbage more than a tenth of a request.
 */
export class RunningRequests {
  #first: Place | undefined;
  #last: Place | undefined;

  /** Takes one in, until it has ended. */
  add(abort: Abort, exchange: Exchange): void {
    const place: Place = { abort, exchange, before: this.#last, behind: undefined };
    if (this.#last) this.#last.behind = place;
    else this.#first = place;
    this.#last = place;
    exchange.finally(() => this.#remove(place));
  }

  /** Ends all of them. */
  abort(reason: Error): void {
    // Whatever ends takes itself out, so the list is copied first.
    const aborts: Abort[] = [];
    for (let place = this.#first; place; place = place.behind) aborts.push(place.abort);
    for (const abort of aborts) abort.abort(reason);
  }

  *[Symbol.iterator](): Iterator<Exchange> {
    for (let place = this.#first; place; place = place.behind) yield place.exchange;
  }

  #remove(place: Place): void {
    const { before, behind } = place;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    place.before = undefined;
    place.behind = undefined;
  }
}
