/** One message of `application/vnd.amazon.eventstream`. @see https://smithy.io/2.0/aws/amazon-eventstream.html */
import { crc32 } from 'node:zlib';

/** The length of the message and of its headers, and the checksum of both, four bytes each. */
export const PRELUDE = 12;
/** A checksum: of the prelude after it, and of the whole message at the end. */
const CHECKSUM = 4;

export interface Prelude {
  /** The length of the whole message, including prelude and checksum, bytes. */
  readonly length: number;
  /** The length of its headers, bytes. */
  readonly headers: number;
}

export interface Message {
  /** The headers with text values, which is all that AWS uses to name events; the last of equal names is used. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** The size of a header's value by type number; `PREFIXED` if two bytes before it contain the length. */
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
 * @param bytes at least the 12 bytes that a message begins with
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
 * @throws RangeError when its checksum is wrong, or its headers are truncated or of an unknown type
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

/** Repeatedly: a byte with the length of the name, the name, a byte with the type of the value, the value. */
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
