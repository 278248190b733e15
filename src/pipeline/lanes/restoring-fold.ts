import type { Events } from '../../wire/long-events.ts';
import type { ProxyError } from '../../errors.ts';
import type { RestoredEvents } from '../../redact/outward/restore-events.ts';
import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Answering, Continuation, Fold, Folded } from './lane.ts';
import { isSteps } from '../../turns.ts';
import { ANSWER_BOUNDS, isObject } from '../../wire/json.ts';
import { eachEvent, isLineEnd, joined } from '../../wire/frames.ts';
import { exactly } from '../../wire/json-exact.ts';
import { parseInSteps } from '../../wire/json-steps.ts';
import { stringifyInSteps } from '../../wire/json-write.ts';
import { SseReader } from '../../wire/sse.ts';
import { together, WholeEvents } from './whole-events.ts';

const BLANK_LINE = new TextEncoder().encode('\n\n');

/** What an event must contain so that a placeholder may begin in it: at the end of a JSON string, or before. */
const MAY_BEGIN = /\[[A-Z"]/;

/** Restores a provider's events before another fold reads them. Events without anything to restore keep their bytes. */
export class RestoringFold implements Fold {
  readonly #inner: Fold;
  readonly #restored: RestoredEvents;
  readonly #events = new WholeEvents();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  /** Whether events have names. */
  #named = false;

  constructor(inner: Fold, restored: RestoredEvents) {
    this.#inner = inner;
    this.#restored = restored;
  }

  push(bytes: Uint8Array): Folded | Steps<Folded> {
    const pieces = this.#events.push(bytes);
    return pieces && this.#pass(together(pieces));
  }

  *end(): Steps<Folded> {
    const tail = together(this.#events.rest());
    const rest = tail.every(isLineEnd) ? undefined : yield* settled(this.#pass(joined(tail, BLANK_LINE)));
    // What is still held back belongs to an interrupted answer, which may be continued elsewhere from what the client
    // has.
    const last = yield* settled(this.#inner.end());
    return rest && last ? joined(rest, last) : (rest ?? last);
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#inner.fail(error, requestId);
  }

  goOn(client: Answering): Continuation {
    return this.#inner.goOn(client);
  }

  #pass(whole: Uint8Array): Folded | Steps<Folded> {
    const { holds, shifts } = this.#restored;
    const changes = holds || shifts || MAY_BEGIN.test(this.#decoder.decode(whole));
    return changes ? this.#passChanged(whole) : this.#inner.push(whole);
  }

  *#passChanged(whole: Uint8Array): Steps<Folded> {
    const pieces: Uint8Array[] = [];
    for (const bytes of eachEvent(whole)) pieces.push(...(yield* this.#changed(bytes)));
    return yield* settled(this.#inner.push(together(pieces)));
  }

  *#changed(bytes: Uint8Array): Steps<readonly Uint8Array[]> {
    const [event] = new SseReader().push(bytes);
    if (!event) return [bytes];
    this.#named ||= event.event !== undefined;
    const { data } = event;
    if (data === '[DONE]') return this.#before(this.#restored.end(), bytes);
    const value = yield* readEvent(data);
    if (!isObject(value)) return [bytes];
    const given = exactly(data, value);
    const events = this.#restored.push(given);
    const last = events.at(-1)!;
    const own = last === given ? bytes : this.#withData(bytes, yield* stringifyInSteps(last));
    return this.#before(events.slice(0, -1), own);
  }

  #before(events: readonly JsonObject[], bytes: Uint8Array): readonly Uint8Array[] {
    return events.length === 0 ? [bytes] : [this.#encoder.encode(this.#framed(events)), bytes];
  }

  #framed(events: readonly JsonObject[]): string {
    return events
      .map((event) => {
        const name = this.#named && typeof event.type === 'string' ? `event: ${event.type}\n` : '';
        return `${name}data: ${JSON.stringify(event)}\n\n`;
      })
      .join('');
  }

  /** The event with other data. Its other fields stay. */
  #withData(bytes: Uint8Array, data: string): Uint8Array {
    const fields = this.#decoder
      .decode(bytes)
      .split(/\r\n|\r|\n/)
      .filter((line) => line !== '' && !/^data(?::|$)/.test(line));
    return this.#encoder.encode([...fields, `data: ${data}`, '', ''].join('\n'));
  }
}

/** The value of an event; `undefined` if it is not JSON, or too complex. */
function* readEvent(data: string): Steps<unknown> {
  try {
    return yield* parseInSteps(data, ANSWER_BOUNDS);
  } catch {
    return undefined;
  }
}

function* settled(folded: Folded | Steps<Folded>): Steps<Folded> {
  return isSteps(folded) ? yield* folded : folded;
}
