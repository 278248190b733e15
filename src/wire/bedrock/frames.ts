import type { EventStreamCodec } from '@smithy/eventstream-codec';
import type { Framing } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import { crc32 } from 'node:zlib';
import { ProxyError } from '../../errors.ts';

/** Total length, length of the headers and their checksum, four bytes each. */
const PRELUDE = 12;
/** What the prelude's own checksum is of, bytes. */
const CHECKED = 8;
/** The prelude and the checksum of the whole. */
const OVERHEAD = PRELUDE + 4;

const utf8 = new TextDecoder();
let codec: EventStreamCodec | undefined;

type Loaded = typeof EventStreamCodec;

/** The codec, loaded with the first frame: it brings 25 ms of other code, and few are at AWS. */
function codecOf(): EventStreamCodec {
  if (codec) return codec;
  const { EventStreamCodec: Codec } = require('@smithy/eventstream-codec') as { EventStreamCodec: Loaded };
  codec = new Codec(
    (bytes) => (typeof bytes === 'string' ? bytes : utf8.decode(bytes)),
    (text) => new TextEncoder().encode(text),
  );
  return codec;
}

/**
 * Cuts `application/vnd.amazon.eventstream` into events, however its bytes are cut. An event is named by its
 * `:event-type`, an exception by its `:exception-type`, and an error without a model of its own is `error`.
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export class EventStreamReader implements Framing {
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** Bytes without which nothing more can be read. */
  #needed = PRELUDE;

  /** @throws ProxyError `malformed` for a frame whose checksum is wrong */
  push(bytes: Uint8Array): SseEvent[] {
    if (bytes.length === 0) return [];
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    return this.#held < this.#needed ? [] : this.#read(this.#join());
  }

  /** A frame that is not complete says nothing. */
  end(): SseEvent[] {
    return [];
  }

  #read(bytes: Uint8Array): SseEvent[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const events: SseEvent[] = [];
    let start = 0;
    this.#needed = PRELUDE;
    while (bytes.length - start >= PRELUDE) {
      const length = view.getUint32(start);
      const told = view.getUint32(start + CHECKED);
      // What is no frame at all could claim any length, and would be waited for.
      if (length < OVERHEAD || crc32(bytes.subarray(start, start + CHECKED)) !== told) {
        throw malformed('a frame has no sensible length');
      }
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
  const { headers, body } = parse(frame);
  const header = (name: string) => {
    const value = headers[name]?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const kind = header(':message-type');
  if (kind === 'error') {
    const error = { code: header(':error-code'), message: header(':error-message') };
    return { event: 'error', data: JSON.stringify(error) };
  }
  const event = kind === 'exception' ? (header(':exception-type') ?? 'error') : header(':event-type');
  return { event, data: utf8.decode(body) };
}

function parse(frame: Uint8Array): ReturnType<EventStreamCodec['decode']> {
  try {
    return codecOf().decode(frame);
  } catch (cause) {
    throw malformed('a frame is damaged', cause);
  }
}

function malformed(state: string, cause?: unknown): ProxyError {
  return new ProxyError('malformed', `Cannot read the stream: ${state}`, { cause });
}
