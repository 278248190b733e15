import type { JsonObject } from '../../wire/json.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { eventText } from '../../wire/responses/replayed.ts';
import { SseReader } from '../../wire/sse.ts';

/**
 * The events before a response has begun, so that its client need not wait for the first one. @param response queued
 */
export function queuedEvents(response: JsonObject): string[] {
  return [
    eventText({ type: 'response.created', response, sequence_number: 0 }),
    eventText({ type: 'response.queued', response, sequence_number: 1 }),
  ];
}

/** The events of a response after {@link queuedEvents}, with the id that its client knows, and renumbered. */
export class EventCopy {
  readonly #id: string;
  readonly #events = new SseReader();
  /** The number of the next event. */
  next = 2;

  constructor(id: string) {
    this.#id = id;
  }

  /** The complete events so far, each as text. */
  push(bytes: Uint8Array): string[] {
    return this.#events.push(bytes).flatMap(({ data }) => {
      const event = parseJson(data);
      if (!isObject(event) || typeof event.type !== 'string' || event.type === 'response.created') return [];
      const { response } = event;
      const named = isObject(response) ? { response: this.#named(response) } : {};
      const number = this.next;
      this.next += 1;
      return [eventText({ ...event, type: event.type, ...named, sequence_number: number })];
    });
  }

  #named(response: JsonObject): JsonObject {
    return { ...response, id: this.#id, background: true, store: true };
  }
}
