import { describe, expect, test } from 'bun:test';
import { EventStreamCodec, Int64 } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { readMessage, readPrelude } from '../../src/wire/bedrock/message.ts';
import { EventStreamReader } from '../../src/wire/bedrock/frames.ts';

const utf8 = new TextEncoder();
/** AWS’s own codec, as the reference. */
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (text) => utf8.encode(text),
);

type Headers = Parameters<EventStreamCodec['encode']>[0]['headers'];
type Value = Headers[string];

const value: fc.Arbitrary<Value> = fc.oneof<fc.Arbitrary<Value>[]>(
  fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => ({ type: 'string' as const, value: text })),
  fc.boolean().map((flag) => ({ type: 'boolean' as const, value: flag })),
  fc.integer({ min: -128, max: 127 }).map((byte) => ({ type: 'byte' as const, value: byte })),
  fc.integer({ min: -32_768, max: 32_767 }).map((short) => ({ type: 'short' as const, value: short })),
  fc.integer().map((integer) => ({ type: 'integer' as const, value: integer })),
  fc.integer().map((long) => ({ type: 'long' as const, value: Int64.fromNumber(long) })),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ type: 'binary' as const, value: bytes })),
  fc.uuid().map((uuid) => ({ type: 'uuid' as const, value: uuid })),
  fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
    .map((date) => ({ type: 'timestamp' as const, value: date })),
);
const headers: fc.Arbitrary<Headers> = fc.dictionary(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => name !== '__proto__'),
  value,
  { maxKeys: 8, noNullPrototype: true },
);

/** A message with the given header bytes and correct checksums. */
function message(head: readonly number[], body = ''): Uint8Array {
  const tail = utf8.encode(body);
  const bytes = new Uint8Array(12 + head.length + tail.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, head.length);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  bytes.set(head, 12);
  bytes.set(tail, 12 + head.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

const text = (name: string, said: string) => [
  name.length,
  ...utf8.encode(name),
  7,
  said.length >> 8,
  said.length & 255,
  ...utf8.encode(said),
];

describe('readMessage()', () => {
  test('reads what AWS’s own encoder writes, and keeps the headers whose value is text', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 500 }), (given, body) => {
        const read = readMessage(codec.encode({ headers: given, body }));
        const texts = Object.entries(given).flatMap(([name, header]) =>
          header.type === 'string' ? [[name, header.value] as const] : [],
        );
        expect(new Map(read.headers)).toEqual(new Map(texts));
        expect(read.body).toEqual(body);
      }),
    );
  });

  test('reads a message that begins within a larger buffer', () => {
    const whole = Buffer.concat([Buffer.from('before'), message(text('a', 'b'), 'body'), Buffer.from('x')]);
    const read = readMessage(whole.subarray(6, -1));
    expect([...read.headers]).toEqual([['a', 'b']]);
    expect(new TextDecoder().decode(read.body)).toBe('body');
  });

  test('uses the last of two headers with the same name', () => {
    expect(readMessage(message([...text('a', '1'), ...text('a', '2')])).headers.get('a')).toBe('2');
  });

  test.each([
    ['an unknown type', [1, 97, 10]],
    ['a truncated name', [9, 97, 7]],
    ['a header without a type', [1, 97]],
    ['a text without a length', [1, 97, 7]],
    ['a truncated length', [1, 97, 7, 0]],
    ['a truncated text', [1, 97, 7, 0, 3, 98, 99]],
    ['truncated bytes', [1, 97, 6, 255, 255, 1]],
    ['a truncated number', [1, 97, 5, 0, 0, 0, 0, 0, 0, 0]],
    ['a truncated UUID', [...text('a', 'b'), 1, 97, 9, 1, 2, 3]],
  ])('refuses %s even if the checksums are correct', (_, head) => {
    // A body follows the headers: the header parser must not read into it.
    const bytes = message(head, 'body of more than 16 bytes');
    expect(() => readMessage(bytes)).toThrow(RangeError);
    expect(() => new EventStreamReader().push(bytes)).toThrow(
      expect.objectContaining({ fault: 'malformed' }),
    );
  });
});

test('readPrelude() refuses any damaged bit before the rest of the message has arrived', () => {
  const whole = message(text('a', 'b'), 'body');
  expect(readPrelude(whole.subarray(0, 12))).toEqual({ length: whole.length, headers: 6 });
  for (let bit = 0; bit < 12 * 8; bit += 1) {
    const head = whole.slice(0, 12);
    head[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => readPrelude(head)).toThrow(RangeError);
    expect(() => new EventStreamReader().push(head)).toThrow(expect.objectContaining({ fault: 'malformed' }));
  }
});

test.each([
  ['a length below the minimum', 15, 0],
  ['headers longer than the message', 100, 85],
])('EventStreamReader refuses %s at once, even if the checksum is correct', (_, length, headers) => {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, length);
  view.setUint32(4, headers);
  view.setUint32(8, crc32(head.subarray(0, 8)));
  expect(() => new EventStreamReader().push(head)).toThrow(expect.objectContaining({ fault: 'malformed' }));
});
