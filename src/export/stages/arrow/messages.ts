/** Splits an Arrow IPC stream, which arrives in pieces of any size, into messages. */
import { ExportError } from '../../errors.ts';

/** The continuation marker before the length of the metadata, since Arrow 0.15. */
const CONTINUATION = 0xffffffff;
/** The size of a message's prefix: the marker and the length. */
const PREFIX = 8;
/** The largest metadata; no schema or record batch needs more. */
const MOST_METADATA = 16 * 1024 ** 2;
/** The flatbuffers field of a message that contains the length of its body. */
const BODY_LENGTH_FIELD = 10;

/**
 * The messages of a stream, each with its prefix, in memory of its own with aligned start. An empty input is a stream
 * without messages.
 * @throws ExportError when the stream is damaged, or ends within a message or without its end marker
 * @see https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
 */
export async function* messagesIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(pieces);
  for (let any = false; ; any = true) {
    const prefix = await source.take(PREFIX);
    if (prefix.length === 0 && !any) return;
    if (prefix.length < PREFIX) throw damaged('it lacks its end marker');
    const view = new DataView(prefix.buffer, prefix.byteOffset);
    if (view.getUint32(0, true) !== CONTINUATION) throw damaged('it is not an Arrow stream');
    const metadataLength = view.getUint32(4, true);
    if (metadataLength === 0) return;
    if (metadataLength > MOST_METADATA) throw damaged('it is not an Arrow stream');
    const metadata = await source.take(metadataLength);
    if (metadata.length < metadataLength) throw damaged('it ends within a message');
    const bodyLength = bodyLengthIn(metadata);
    const message = new Uint8Array(PREFIX + metadataLength + bodyLength);
    message.set(prefix);
    message.set(metadata, PREFIX);
    const got = await source.readInto(message.subarray(PREFIX + metadataLength));
    if (got < bodyLength) throw damaged('it ends within a message');
    yield message;
  }
}

export function damaged(why: string): ExportError {
  return new ExportError('failed', `Cannot read the Arrow stream: ${why}`);
}

function bodyLengthIn(metadata: Uint8Array): number {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  try {
    const table = view.getInt32(0, true);
    const fields = table - view.getInt32(table, true);
    const known = view.getUint16(fields, true) > BODY_LENGTH_FIELD;
    const place = known ? view.getUint16(fields + BODY_LENGTH_FIELD, true) : 0;
    return place === 0 ? 0 : Number(view.getBigInt64(table + place, true));
  } catch (cause) {
    throw damaged(`its metadata is damaged (${(cause as Error).message})`);
  }
}

/** Bytes that arrive in pieces, to be taken in other pieces. */
class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** This many bytes, or fewer at the end. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await this.readInto(bytes));
  }

  /** @returns the number of bytes; fewer than requested at the end */
  async readInto(into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      if (this.#used === this.#piece.length) {
        const { done, value } = await this.#pieces.next();
        if (done) break;
        this.#piece = value;
        this.#used = 0;
      }
      const part = this.#piece.subarray(this.#used, this.#used + into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#used += part.length;
    }
    return filled;
  }
}
