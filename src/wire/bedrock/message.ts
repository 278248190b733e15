/** One message of `application/vnd.amazon.eventstream`. @see https://smithy.io/2.0/aws/amazon-eventstream.html */
import { crc32 } from 'node:zlib';

/** The length of the message and of its headers, and the checksum of both, four bytes each. */
export const PRELUDE = 12;
/** A checksum: of the prelude after it, and of the whole at its end. */
const CHECKSUM = 4;

export interface Prelude {
  /** Bytes of the whole message, prelude and checksum included. */
  readonly length: number;
  /** Bytes of its headers. */
  readonly headers: number;
}

export interface Message {
  /** Those with a text as value, which are all that AWS names its events by; the last of equal names counts. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Bytes of a header's value by the number of its type; `PREFIXED` where two bytes before it say how many. */
const PREFIXED = -1;
const STRING = 7;
const VALUE_BYTES: readonly number[] = [
  0, // true
  0, // false
  1, // byte
  2, // short
  4, // integer
  8, // long
  PREFIXED, // bytes
  PREFIXED, // string
  8, // timestamp
  16, // UUID
];

const utf8 = new TextDecoder();

/**
 * @param bytes at least the 12 that a message begins with
 * @throws RangeError when their checksum is wrong or the lengths contradict each other
 */
export function readPrelude(bytes: Uint8Array): Prelude {
  const view = viewOf(bytes);
  const prelude = { length: view.getUint32(0), headers: view.getUint32(4) };
  if (prelude.headers > prelude.length - PRELUDE - CHECKSUM) {
    throw new RangeError('the lengths contradict each other');
  }
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8))) throw new RangeError('the prelude is damaged');
  return prelude;
}

/**
 * @param bytes of one whole message
 * @throws RangeError when its checksum is wrong, or its headers are cut off or of no known type
 */
export function readMessage(bytes: Uint8Array): Message {
  const { headers } = readPrelude(bytes);
  const end = bytes.length - CHECKSUM;
  if (viewOf(bytes).getUint32(end) !== crc32(bytes.subarray(0, end))) {
    throw new RangeError('the message is damaged');
  }
  const body = PRELUDE + headers;
  return { headers: readHeaders(bytes.subarray(PRELUDE, body)), body: bytes.subarray(body, end) };
}

/** A byte with the length of the name, the name, a byte with the type of the value, the value; again and again. */
function readHeaders(bytes: Uint8Array): Map<string, string> {
  const view = viewOf(bytes);
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const named = at + 1 + view.getUint8(at);
    const name = utf8.decode(bytes.subarray(at + 1, named));
    const type = view.getUint8(named);
    const size = VALUE_BYTES[type];
    if (size === undefined) throw new RangeError('a header has no known type');
    const start = named + 1 + (size === PREFIXED ? 2 : 0);
    at = start + (size === PREFIXED ? view.getUint16(named + 1) : size);
    if (at > bytes.length) throw new RangeError('a header is cut off');
    if (type === STRING) found.set(name, utf8.decode(bytes.subarray(start, at)));
  }
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
