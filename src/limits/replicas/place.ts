import type { Clock } from '../../clock.ts';
import type { Link } from '../../redis/link.ts';
import type { Need, Share } from './share.ts';
import { LinkDown } from '../../redis/link.ts';
import type { Patience } from './script.ts';
import { argumentsOf, replyOf, SYNC_SCRIPT } from './script.ts';

export interface PlaceDeps {
  readonly link: Link;
  readonly clock: Clock;
  readonly replica: string;
  readonly patience: Patience;
  /** Synchronises with the server's clock again. */
  readonly looksAtClock: () => Promise<void>;
  /** Reports it soon, since it holds something that others may need. */
  readonly tellSoon: (place: Place) => void;
}

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A share, and its exchanges with the server: one at a time, and requests that arrive meanwhile share the next one. */
export class Place {
  readonly share: Share;
  /** The key of the limit on the server. */
  readonly key: string;
  readonly #deps: PlaceDeps;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** What waiting requests need. What was fetched for them is neither given to others nor returned. */
  readonly #waiting = new Set<Need>();

  constructor(key: string, share: Share, deps: PlaceDeps) {
    this.key = key;
    this.share = share;
    this.#deps = deps;
  }

  /** Reports usage to the server, and obtains more. Never rejects: without the server nothing changes. */
  ask(): Promise<void> {
    this.#next ??= this.#afterThis();
    return this.#next;
  }

  /** A request waits for room. */
  enter(need: Need): void {
    this.#waiting.add(need);
  }

  /** It takes its room before anything else happens. */
  leave(need: Need): void {
    this.#waiting.delete(need);
  }

  /** What all waiting requests need together, and the least with which one of them could continue. */
  #need(): Need {
    let amount = 0;
    let least = Infinity;
    for (const each of this.#waiting) {
      amount += each.amount;
      least = Math.min(least, each.least);
    }
    return { amount, least: amount === 0 ? 0 : least };
  }

  async #afterThis(): Promise<void> {
    await this.#running;
    // Waiting requests take what was fetched for them before any other request does.
    await nextTurn();
    this.#next = undefined;
    this.#running = this.#run().finally(() => (this.#running = undefined));
    await this.#running;
    // The request for which it was fetched may have gone on, or been refused by another limit, meanwhile.
    if (this.isWithheld(this.#deps.clock.now())) this.#deps.tellSoon(this);
  }

  /** Whether it holds something that none of its requests has taken or waits for, and that others may need. */
  isWithheld(nowMs: number): boolean {
    return this.#waiting.size === 0 && this.share.scarce && this.share.spare(nowMs) > 0;
  }

  /** Whether an exchange is pending. */
  get busy(): boolean {
    return this.#next !== undefined || this.#running !== undefined;
  }

  async #run(): Promise<void> {
    const { link, clock, replica, patience, looksAtClock } = this.#deps;
    // A server that has lost its data receives again what this replica has seen.
    for (let tries = 0; tries < 2 && link.up; tries += 1) {
      const report = this.share.tell(replica, this.#need(), clock.now());
      try {
        const reply = await link.run(SYNC_SCRIPT, this.key, argumentsOf(report, patience), replyOf);
        if (reply.kind === 'heard') return this.share.hear(reply, clock.now());
        if (reply.kind === 'lost') this.share.forgotten();
        // The server's clock or this machine's was set.
        if (reply.kind === 'overdue') await looksAtClock();
      } catch (thrown) {
        if (!(thrown instanceof LinkDown)) throw thrown;
        return;
      }
    }
  }
}
