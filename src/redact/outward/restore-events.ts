import type { JsonObject } from '../../wire/json.ts';
import type { RestoredPieces, Restorer, TextForm } from './restorer.ts';
import { restoredValue } from './restore-answer.ts';

/** A text of an event that later events continue. */
export interface TextSlot {
  /** The text that it is a piece of, such as "0/content" for the content of the first choice. */
  readonly channel: string;
  readonly holder: JsonObject;
  readonly field: string;
  /** `kept`: placeholders in it are not replaced. */
  readonly form: TextForm | 'kept';
  /** Whether it is known to be the last piece. */
  readonly closes?: boolean;
}

/** Where texts are in the events of a protocol. */
export interface StreamShape {
  /** Whether an event is not to be changed. */
  readonly isKept?: (event: JsonObject) => boolean;
  /** The pieces of text in an event, in order. */
  readonly slots: (event: JsonObject) => readonly TextSlot[];
  /** Whether nothing of a channel follows from this event on, unless the event itself has a piece of it. */
  readonly ends: (event: JsonObject, channel: string) => boolean;
  /** An event that contains nothing but a text of the same channel. */
  readonly bringing: (like: JsonObject, slot: TextSlot, text: string) => JsonObject;
  /** The field in which events are numbered. */
  readonly numbered?: string;
}

interface Channel {
  readonly pieces: RestoredPieces;
  /** The last event that had a piece of it. */
  like: JsonObject;
  slot: TextSlot;
}

/** Restores the events of a stream, also if a placeholder is spread over several of them. */
export class RestoredEvents {
  readonly #shape: StreamShape;
  readonly #restorer: Restorer;
  readonly #channels = new Map<string, Channel>();
  /** How many events were inserted, where events are numbered. */
  #inserted = 0;

  constructor(shape: StreamShape, restorer: Restorer) {
    this.#shape = shape;
    this.#restorer = restorer;
  }

  /** Whether some text is held back. */
  get holds(): boolean {
    for (const { pieces } of this.#channels.values()) if (pieces.holds) return true;
    return false;
  }

  /** Whether events have to be changed because of others before them. */
  get shifts(): boolean {
    return this.#inserted > 0;
  }

  /** The event, preceded by others that contain what was held back until now. */
  push(event: JsonObject): readonly JsonObject[] {
    const { isKept, slots, ends } = this.#shape;
    const found = isKept?.(event) ? [] : slots(event);
    const going = new Set(found.map(({ channel }) => channel));
    const before = this.#rest((channel) => !going.has(channel) && ends(event, channel), event);
    if (isKept?.(event)) return [...before, this.#numbered(event)];
    const texts = new Map<object, Map<string, string>>();
    for (const slot of found) {
      const of = texts.get(slot.holder) ?? new Map<string, string>();
      texts.set(slot.holder, of.set(slot.field, this.#text(event, slot)));
    }
    return [...before, this.#numbered(restoredValue(event, this.#restorer, texts))];
  }

  /** The stream is complete: events that contain what was held back. */
  end(): readonly JsonObject[] {
    return this.#rest(() => true);
  }

  #text(event: JsonObject, slot: TextSlot): string {
    const text = slot.holder[slot.field] as string;
    if (slot.form === 'kept') return text;
    let channel = this.#channels.get(slot.channel);
    if (channel) Object.assign(channel, { like: event, slot });
    else {
      channel = { pieces: this.#restorer.pieces(slot.form), like: event, slot };
      this.#channels.set(slot.channel, channel);
    }
    const restored = channel.pieces.push(text);
    return slot.closes ? restored + channel.pieces.end() : restored;
  }

  /** @param next the event that follows, whose number the first of them takes */
  #rest(over: (channel: string) => boolean, next?: JsonObject): JsonObject[] {
    const events: JsonObject[] = [];
    for (const [name, { pieces, like, slot }] of this.#channels) {
      if (!pieces.holds || !over(name)) continue;
      const { numbered, bringing } = this.#shape;
      const event = bringing(like, slot, pieces.end());
      const number = numbered === undefined ? undefined : (next ?? like)[numbered];
      if (numbered === undefined || typeof number !== 'number') events.push(event);
      else {
        events.push({ ...event, [numbered]: number + this.#inserted });
        this.#inserted += 1;
      }
    }
    return events;
  }

  #numbered(event: JsonObject): JsonObject {
    const { numbered } = this.#shape;
    if (this.#inserted === 0 || numbered === undefined) return event;
    const number = event[numbered];
    return typeof number === 'number' ? { ...event, [numbered]: number + this.#inserted } : event;
  }
}
