import type { Events } from '../../wire/long-events.ts';
import type { Tap } from '../streams/tap.ts';
import type { ProxyError } from '../../errors.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { Steps } from '../../turns.ts';
import type { Answering, Continuation, Fold, Folded } from './lane.ts';
import { isSteps } from '../../turns.ts';
import { concatInSteps } from '../../wire/bytes.ts';
import { areLong, eventJson, readAhead } from '../../wire/event-json.ts';
import { eachEvent, eventsAndPauses, isLineEnd, joined } from '../../wire/frames.ts';
import {
  hasNullUsage,
  isUsageAlone,
  withoutNullUsage,
  withoutTopNullUsage,
} from '../../wire/openai/unrequested-usage.ts';
import { SseReader } from '../../wire/sse.ts';
import { RelayContinuation } from './relay-continuation.ts';
import { together, WholeEvents } from './whole-events.ts';

const LINE_END = new TextEncoder().encode('\n');
const BLANK_LINE = new TextEncoder().encode('\n\n');
/** How many bytes of an event are assembled at once. */
const LONG = 512 * 1024;
/**
 * Passes whole events on unchanged. The beginning of an incomplete event waits for its rest: no client can use it, and
 * a stream that breaks there can still end with a readable error. Invalid events are dropped, and so is an error event:
 * the proxy decides what happens then.
 */
export class RelayFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #terminator: string;
  /** Whether the usage is removed from what passes. */
  readonly #hidesUsage: boolean;
  readonly #events = new SseReader();
  readonly #whole = new WholeEvents();
  /** Whether anything was shown: from then on a byte order mark is ordinary content. */
  #begun = false;

  /** @param hidesUsage whether the usage was requested by the proxy rather than by the client: it is removed */
  constructor(tap: Tap, target: string, terminator: string, hidesUsage = false) {
    this.#tap = tap;
    this.#target = target;
    this.#terminator = terminator;
    this.#hidesUsage = hidesUsage;
  }

  push(bytes: Uint8Array): Folded | Steps<Folded> {
    const pieces = this.#whole.push(bytes);
    return pieces && this.#show(pieces);
  }

  end(): Folded | Steps<Folded> {
    // Some servers omit the last blank line: the rest may still be an event.
    const tail = this.#whole.rest();
    const blank = tail.every((piece) => piece.every(isLineEnd));
    const rest = blank ? together(tail) : this.#show([...tail, BLANK_LINE]);
    return isSteps(rest) ? this.#endAfter(rest) : this.#ended(rest);
  }

  *#endAfter(rest: Steps<Folded>): Steps<Folded> {
    return this.#ended(yield* rest);
  }

  #ended(rest: Folded): Folded {
    if (this.#tap.done || this.#tap.error || !this.#tap.finished) return rest;
    this.#tap.done = true;
    return joined(rest, new TextEncoder().encode(this.#terminator));
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#tap.fail(error, requestId);
  }

  goOn(client: Answering): Continuation {
    this.#tap.goOn();
    return new RelayContinuation(client, this.#tap, this.#target);
  }

  /** Shows whole events to the tap, and returns those that are passed on. */
  #show(pieces: readonly Uint8Array[]): Folded | Steps<Folded> {
    if (pieces.reduce((bytes, piece) => bytes + piece.length, 0) > LONG) return this.#showInSteps(pieces);
    const whole = together(pieces);
    const events = this.#events.push(whole);
    return areLong(events) ? this.#showAhead(whole, events) : this.#shown(whole, events);
  }

  *#showInSteps(pieces: readonly Uint8Array[]): Steps<Folded> {
    const events: SseEvent[] = [];
    for (const piece of pieces) {
      events.push(...this.#events.push(piece));
      yield;
    }
    return yield* this.#showAhead(yield* concatInSteps(pieces), events);
  }

  *#showAhead(whole: Uint8Array, given: readonly SseEvent[]): Steps<Folded> {
    const { passes, nulls } = this.#judged(yield* readAhead(given));
    const kept = passes.includes(false) ? yield* this.#keptInSteps(whole, passes) : whole;
    this.#begun = true;
    return withoutNulls(kept, nulls);
  }

  #shown(whole: Uint8Array, given: readonly SseEvent[]): Folded {
    const { passes, nulls } = this.#judged(given);
    const kept = passes.includes(false) ? this.#kept(whole, passes) : whole;
    this.#begun = true;
    return withoutNulls(kept, nulls);
  }

  /** Whether each event passes, and those of them that have an empty usage to be removed. */
  #judged(given: readonly SseEvent[]): { readonly passes: boolean[]; readonly nulls: readonly SseEvent[] } {
    if (!this.#hidesUsage)
      return { passes: given.map((event) => this.#tap.event(event, this.#target)), nulls: [] };
    // Parsed once, for the tap and for what is looked up here.
    const events = given.map((event) => ({
      ...event,
      value: event.data === '[DONE]' ? undefined : eventJson(event),
    }));
    const passes = events.map((event) => this.#tap.event(event, this.#target) && !isUsageAlone(event.value));
    return { passes, nulls: events.filter(({ value }, at) => passes[at] && hasNullUsage(value)) };
  }

  /** The same as `#kept`, which may take long: an event of megabytes is read again, to find out whether it has data. */
  *#keptInSteps(whole: Uint8Array, passes: readonly boolean[]): Steps<Uint8Array | undefined> {
    const kept: Uint8Array[] = [];
    let begun = this.#begun;
    let at = 0;
    for (const event of eventsAndPauses(whole)) {
      if (!event) {
        yield;
        continue;
      }
      const reader = new SseReader();
      if (begun) reader.push(LINE_END);
      begun = true;
      let count = 0;
      for (let from = 0; from < event.length; from += LONG) {
        count += reader.push(event.subarray(from, from + LONG)).length;
        if (from + LONG < event.length) yield;
      }
      if (count === 0 || passes[at++]) kept.push(event);
    }
    return kept.length > 0 ? yield* concatInSteps(kept) : undefined;
  }

  /** @param passes a verdict for each event with data; comments have none and are kept */
  #kept(whole: Uint8Array, passes: boolean[]): Uint8Array | undefined {
    const kept: Uint8Array[] = [];
    let begun = this.#begun;
    let at = 0;
    for (const event of eachEvent(whole)) {
      const alone = begun ? joined(LINE_END, event) : event;
      begun = true;
      if (new SseReader().push(alone).length === 0 || passes[at++]) kept.push(event);
    }
    return kept.length > 0 ? Buffer.concat(kept) : undefined;
  }
}

function withoutNulls(kept: Uint8Array | undefined, nulls: readonly SseEvent[]): Uint8Array | undefined {
  if (!kept || nulls.length === 0) return kept;
  const plain = withoutNullUsage(kept, nulls.length);
  return plain ?? nulls.reduce((bytes, { data }) => withoutTopNullUsage(bytes, data), kept);
}
