import type { Framing } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Message, Prelude } from './message.ts';
import { ProxyError } from '../../errors.ts';
import { PRELUDE, readMessage, readPrelude } from './message.ts';

const utf8 = new TextDecoder();

/**
 * Splits `application/vnd.amazon.eventstream` into events, however it is chunked. An event is named by its
 * `:event-type`, an exception by its `:exception-type`, and an unmodelled error is `error`.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export class EventStreamReader implements Framing {
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** The number of bytes needed to continue. */
  #needed = PRELUDE;

  /** @throws ProxyError `malformed` for a damaged frame */
  push(bytes: Uint8Array): SseEvent[] {
    if (bytes.length === 0) return [];
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    return this.#held < this.#needed ? [] : this.#read(this.#join());
  }

  /** An incomplete frame is dropped. */
  end(): SseEvent[] {
    return [];
  }

  #read(bytes: Uint8Array): SseEvent[] {
    const events: SseEvent[] = [];
    let start = 0;
    this.#needed = PRELUDE;
    while (bytes.length - start >= PRELUDE) {
      // Checked before waiting for the rest, since a damaged length may demand megabytes.
      const { length } = checked(() => readPrelude(bytes.subarray(start)));
      if (bytes.length - start < length) {
        this.#needed = length;
        break;
      }
      events.push(decode(bytes.subarray(start, start + length)));
      start += length;
    }
    this.#held = bytes.length - start;
    this.#pieces = this.#held > 0 ? [bytes.slice(start)] : [];
    return events;
  }

  #join(): Uint8Array {
    const [first] = this.#pieces;
    if (first && this.#pieces.length === 1) return first;
    const whole = new Uint8Array(this.#held);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

function decode(frame: Uint8Array): SseEvent {
  const { headers, body } = checked(() => readMessage(frame));
  const kind = headers.get(':message-type');
  if (kind === 'error') {
    const error = { code: headers.get(':error-code'), message: headers.get(':error-message') };
    return { event: 'error', data: JSON.stringify(error) };
  }
  const event =
    kind === 'exception' ? (headers.get(':exception-type') ?? 'error') : headers.get(':event-type');
  return { event, data: utf8.decode(body) };
}

function checked<Part extends Message | Prelude>(read: () => Part): Part {
  try {
    return read();
  } catch (cause) {
    throw malformed('a frame is damaged', cause);
  }
}

function malformed(state: string, cause?: unknown): ProxyError {
  return new ProxyError('malformed', `Cannot read the stream: ${state}`, { cause });
}
