import type { Events } from '../../wire/long-events.ts';
import type { ProxyError } from '../../errors.ts';
import type { Steps } from '../../turns.ts';
import type { Answering, Continuation, Fold, Folded } from './lane.ts';
import { together } from './whole-events.ts';

const LF = 10;
const CR = 13;
const CARRIAGE_RETURN = Uint8Array.of(CR);
const BEGIN = new TextEncoder().encode('data: ');
const END = new TextEncoder().encode('\n\n');

/**
 * Lets a fold of events read the lines of a stream as events: each line is one, whose bytes stay unchanged. The pieces
 * of a line are passed on as they arrive, since they may be many.
 */
export class LinesFold implements Fold {
  readonly #events: Fold;
  /** Whether a line has begun, and whether a carriage return that may end it was held back. */
  #begun = false;
  #returns = false;

  constructor(events: Fold) {
    this.#events = events;
  }

  push(bytes: Uint8Array): Folded | Steps<Folded> {
    const pieces: Uint8Array[] = [];
    if (this.#returns && bytes.length > 0 && bytes[0] !== LF) this.#add(pieces, CARRIAGE_RETURN);
    this.#returns &&= bytes.length === 0;
    for (let at = 0; at < bytes.length;) {
      const next = bytes.indexOf(LF, at);
      const end = next < 0 ? bytes.length : next;
      const returns = end > at && bytes[end - 1] === CR;
      this.#add(pieces, bytes.subarray(at, returns ? end - 1 : end));
      if (next < 0) this.#returns = returns;
      else if (this.#begun) pieces.push(END);
      this.#begun &&= next < 0;
      at = end + 1;
    }
    return pieces.length === 0 ? undefined : this.#events.push(together(pieces));
  }

  /** The last line may lack its end, like the last event. */
  end(): Folded | Steps<Folded> {
    return this.#events.end();
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#events.fail(error, requestId);
  }

  goOn(client: Answering): Continuation {
    return this.#events.goOn(client);
  }

  #add(pieces: Uint8Array[], piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (!this.#begun) pieces.push(BEGIN);
    this.#begun = true;
    pieces.push(piece);
  }
}
