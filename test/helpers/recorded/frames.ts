import type { JsonObject } from '../../../src/wire/json.ts';
import { isObject, parseJson } from '../../../src/wire/json.ts';

const utf8 = new TextDecoder();

/** The events of an AWS event stream, each with its name under ":event". */
export function frameEvents(body: Uint8Array): JsonObject[] {
  const events: JsonObject[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at + 16 <= body.length;) {
    const total = view.getUint32(at);
    const headers = view.getUint32(at + 4);
    if (total < 16 || at + total > body.length) break;
    const payload = parseJson(utf8.decode(body.subarray(at + 12 + headers, at + total - 4)));
    const name = nameIn(body.subarray(at + 12, at + 12 + headers));
    events.push({ ...(isObject(payload) ? payload : {}), ':event': name });
    at += total;
  }
  return events;
}

/** Headers are a name, its type, and a text with its length before it. */
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
