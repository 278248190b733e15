import { createParser } from 'eventsource-parser';

export interface SseEvent {
  /** The `event:` field. */
  readonly event?: string;
  readonly data: string;
}

/**
 * Reads server-sent events from bytes, however they are cut: CRLF, comments, several data lines, a BOM. An event may be
 * as long as whoever gives the bytes allows.
 */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: ({ event, data }) => this.#events.push({ event, data }) });
  #events: SseEvent[] = [];

  push(bytes: Uint8Array): SseEvent[] {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    return this.#take();
  }

  /** The end: an event whose last blank line is missing counts too, as some servers leave it out. */
  end(): SseEvent[] {
    this.#parser.feed(`${this.#decoder.decode()}\n\n`);
    return this.#take();
  }

  #take(): SseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
