/** Events whose data is so long that writing it as JSON at once would block the event loop. */
import type { Steps } from '../turns.ts';
import type { ChatChunk } from './chat.ts';
import type { JsonObject } from './json.ts';
import type { ChatWriter } from './protocol.ts';
import { isSteps } from '../turns.ts';
import { concatInSteps } from './bytes.ts';
import { sizeOf } from './json-size.ts';
import { writeBody } from './json-write.ts';
import { shortChunks } from './short-chunks.ts';

/** An event whose data is not written yet, and must not change until it is. */
export interface LongEvent {
  /** The value of its `event:` field; empty if it has none. */
  readonly name: string;
  readonly data: JsonObject;
}

/** Events for a client, in order: as text, except long ones. */
export type Events = string | readonly (string | LongEvent)[];

/** Longer data is long, characters. */
const LONG = 256 * 1024;

/** Text is encoded in parts of about this size, characters. */
const PART = 512 * 1024;

/** An event, as text unless it is long. */
export function eventOf(name: string, data: JsonObject): string | LongEvent {
  return sizeOf(data, LONG) > LONG ? { name, data } : textOf({ name, data });
}

/** An event without a name, as text unless it is long. */
export function dataEvent(data: JsonObject): string | LongEvent {
  return eventOf('', data);
}

/** Events that follow each other. */
export function eventsAfter(first: Events, ...more: readonly Events[]): Events {
  const all = [first, ...more].flat();
  return all.every((event) => typeof event === 'string') ? all.join('') : all;
}

function textOf({ name, data }: LongEvent): string {
  return `${headOf(name)}${JSON.stringify(data)}\n\n`;
}

/** What precedes the data of an event. */
function headOf(name: string): string {
  return name === '' ? 'data: ' : `event: ${name}\ndata: `;
}

/** All events as text, written at once. */
export function eventsText(events: Events): string {
  if (typeof events === 'string') return events;
  return events.map((event) => (typeof event === 'string' ? event : textOf(event))).join('');
}

/** A whole stream, encoded. */
export function* streamInSteps(
  chunks: readonly ChatChunk[],
  writer: ChatWriter,
): Steps<Uint8Array<ArrayBuffer>> {
  const list = new EventList();
  for (const chunk of chunks.flatMap(shortChunks)) {
    list.add(writer.push(chunk));
    yield;
  }
  list.add(writer.end());
  const encoded = list.encoded();
  return isSteps(encoded) ? yield* encoded : (encoded ?? new Uint8Array());
}

/** The length of the events that are text, characters. */
export function shortLength(events: Events): number {
  if (typeof events === 'string') return events.length;
  return events.reduce((length, event) => length + (typeof event === 'string' ? event.length : 0), 0);
}

const encoder = new TextEncoder();

/** Collects events for a client, to encode them together. */
export class EventList {
  /** What precedes the current text. */
  readonly #before: (string | LongEvent)[] = [];
  #text = '';

  add(events: Events): void {
    for (const event of typeof events === 'string' ? [events] : events)
      if (typeof event === 'string') this.#text += event;
      else this.#flush(event);
    if (this.#text.length > PART) this.#flush();
  }

  #flush(...behind: readonly LongEvent[]): void {
    this.#before.push(this.#text, ...behind);
    this.#text = '';
  }

  /** All of it as text, written at once. */
  text(): string {
    return eventsText([...this.#before, this.#text]);
  }

  /** The bytes; in steps if there are many. `undefined` if there are none. */
  encoded(): Uint8Array<ArrayBuffer> | undefined | Steps<Uint8Array<ArrayBuffer>> {
    if (this.#before.length > 0) return this.#inSteps();
    return this.#text === '' ? undefined : encoder.encode(this.#text);
  }

  *#inSteps(): Steps<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for (const event of [...this.#before, this.#text]) {
      if (typeof event === 'string') pieces.push(encoder.encode(event));
      else {
        const data = yield* writeBody(event.data);
        const written = typeof data === 'string' ? encoder.encode(data) : data;
        pieces.push(encoder.encode(headOf(event.name)), written, encoder.encode('\n\n'));
      }
      yield;
    }
    return yield* concatInSteps(pieces);
  }
}
