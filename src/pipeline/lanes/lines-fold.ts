import type { ProxyError } from '../../errors.ts';
import type { Steps } from '../../turns.ts';
import type { Answering, Continuation, Fold, Folded } from './lane.ts';
import { joined } from '../../wire/frames.ts';

const LF = 10;
const BEGIN = new TextEncoder().encode('data: ');
const END = new TextEncoder().encode('\n\n');

/** Lets a fold of events read the lines of a stream as events: each line is one, whose bytes stay unchanged. */
export class LinesFold implements Fold {
  readonly #events: Fold;
  #tail: Uint8Array | undefined;

  constructor(events: Fold) {
    this.#events = events;
  }

  push(bytes: Uint8Array): Folded | Steps<Folded> {
    const whole = joined(this.#tail, bytes);
    const end = whole.lastIndexOf(LF) + 1;
    this.#tail = end === whole.length ? undefined : whole.slice(end);
    return end === 0 ? undefined : this.#events.push(asEvents(whole.subarray(0, end)));
  }

  *end(): Steps<Folded> {
    // Some servers omit the last line end.
    const rest = this.#tail && (yield* settled(this.#events.push(asEvents(this.#tail))));
    this.#tail = undefined;
    const last = yield* settled(this.#events.end());
    return rest && last ? joined(rest, last) : (rest ?? last);
  }

  fail(error: ProxyError, requestId: string): string {
    return this.#events.fail(error, requestId);
  }

  goOn(client: Answering): Continuation {
    return this.#events.goOn(client);
  }
}

function* settled(folded: Folded | Steps<Folded>): Steps<Folded> {
  return folded === undefined || folded instanceof Uint8Array ? folded : yield* folded;
}

function asEvents(lines: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < lines.length;) {
    const next = lines.indexOf(LF, at);
    const end = next < 0 ? lines.length : next;
    const line = lines.subarray(at, lines[end - 1] === 13 ? end - 1 : end);
    if (line.length > 0) pieces.push(BEGIN, line, END);
    at = end + 1;
  }
  return Buffer.concat(pieces);
}
