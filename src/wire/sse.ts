import { createParser } from 'eventsource-parser';
import { ProxyError } from '../errors.ts';

export interface SseEvent {
  /** The `event:` field. */
  readonly event?: string;
  readonly data: string;
}

/** An event longer than this is no answer of a provider. */
const MAX_EVENT = 8 * 1024 ** 2;

/** Reads server-sent events from bytes, however they are cut: CRLF, comments, several data lines, a BOM. */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: ({ event, data }) => this.#events.push({ event, data }) });
  #events: SseEvent[] = [];
  #pending = 0;

  /** @throws ProxyError `malformed` when an event grows beyond 8 MiB */
  push(bytes: Uint8Array): SseEvent[] {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    this.#pending = this.#events.length > 0 ? 0 : this.#pending + bytes.length;
    if (this.#pending > MAX_EVENT) {
      throw new ProxyError('malformed', `Cannot read the stream: an event is longer than ${MAX_EVENT} bytes`);
    }
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

/** One event as text. */
export function encodeSse({ event, data }: SseEvent): string {
  const lines = data
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('');
  return event === undefined ? `${lines}\n` : `event: ${event}\n${lines}\n`;
}
