import type { Json } from './json.ts';
import { exactJson, isObject, parseJson } from './json.ts';

const utf8 = new TextDecoder();
/** The size of two lengths and their checksum. */
const PRELUDE = 12;
/** The type of a text header. */
const TEXT = 7;

/** The events of an AWS event stream, each with its name under ":event". */
export function frameEvents(body: Uint8Array): Json[] {
  return framesIn(body, parseJson);
}

/** The same, with all digits of integers. */
export function exactFrames(body: Uint8Array): Json[] {
  return framesIn(body, exactJson);
}

function framesIn(body: Uint8Array, parse: (text: string) => unknown): Json[] {
  const events: Json[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + 16 <= body.length;) {
    const total = view.getUint32(at);
    const headers = view.getUint32(at + 4);
    if (total < 16 || at + total > body.length) break;
    const payload = parse(utf8.decode(body.subarray(at + PRELUDE + headers, at + total - 4)));
    const name = nameIn(body.subarray(at + PRELUDE, at + PRELUDE + headers));
    events.push({ ...(isObject(payload) ? payload : {}), ':event': name });
    at += total;
  }
  return events;
}

/** Makes a frame of an AWS event stream again, for recorders that stored only the events. */
export function frameOf(event: string, payload: Json): Uint8Array {
  const headers = [
    [':event-type', event],
    [':content-type', 'application/json'],
    [':message-type', 'event'],
  ].flatMap(([name, value]) => {
    const [key, text] = [Buffer.from(name!), Buffer.from(value!)];
    return [key.length, ...key, TEXT, text.length >> 8, text.length & 255, ...text];
  });
  const body = Buffer.from(JSON.stringify(payload));
  const total = PRELUDE + headers.length + body.length + 4;
  const frame = Buffer.alloc(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(Bun.hash.crc32(frame.subarray(0, 8)), 8);
  frame.set([...headers, ...body], PRELUDE);
  frame.writeUInt32BE(Bun.hash.crc32(frame.subarray(0, total - 4)), total - 4);
  return frame;
}

/** A header is a name, its type, and a text preceded by its length. */
function nameIn(bytes: Uint8Array): string {
  const named: Record<string, string> = {};
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at]!;
    const name = utf8.decode(bytes.subarray(at + 1, at + 1 + length));
    const from = at + 1 + length + 3;
    const size = (bytes[from - 2]! << 8) + bytes[from - 1]!;
    named[name] = utf8.decode(bytes.subarray(from, from + size));
    at = from + size;
  }
  return named[':event-type'] ?? named[':exception-type'] ?? '';
}
