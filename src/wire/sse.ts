import { createParser } from 'eventsource-parser';

export interface SseEvent {
  /** The `event:` field. */
  readonly event?: string;
  readonly data: string;
}

/**
 * Parses server-sent events from bytes, however they are chunked: CRLF, comments, several data lines, a BOM. The length
 * of an event is limited by the caller only.
 */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: ({ event, data }) => this.#events.push({ event, data }) });
  #events: SseEvent[] = [];

  push(bytes: Uint8Array): SseEvent[] {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    return this.#take();
  }

  /** The end: an event without its last blank line counts as well, since some servers omit it. */
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
