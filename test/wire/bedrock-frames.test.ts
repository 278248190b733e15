import { describe, expect, test } from 'bun:test';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { SseEvent } from '../../src/wire/sse.ts';
import { EventStreamReader } from '../../src/wire/bedrock/frames.ts';

const utf8 = new TextEncoder();
const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (text) => utf8.encode(text),
);

function frame(headers: Record<string, string>, body: string): Uint8Array<ArrayBuffer> {
  const named = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]);
  return new Uint8Array(codec.encode({ headers: Object.fromEntries(named), body: utf8.encode(body) }));
}

const event = (type: string, body: string) =>
  frame({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }, body);

const FRAMES = [
  event('messageStart', '{"role":"assistant"}'),
  event('contentBlockDelta', '{"delta":{"text":"grüß dich"}}'),
  event('empty', ''),
  frame({ ':message-type': 'exception', ':exception-type': 'throttlingException' }, '{"message":"Slow"}'),
  frame({ ':message-type': 'error', ':error-code': 'Internal', ':error-message': 'Oh' }, ''),
];
const EVENTS: SseEvent[] = [
  { event: 'messageStart', data: '{"role":"assistant"}' },
  { event: 'contentBlockDelta', data: '{"delta":{"text":"grüß dich"}}' },
  { event: 'empty', data: '' },
  { event: 'throttlingException', data: '{"message":"Slow"}' },
  { event: 'error', data: '{"code":"Internal","message":"Oh"}' },
];

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function read(pieces: readonly Uint8Array[]): SseEvent[] {
  const reader = new EventStreamReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

describe('EventStreamReader', () => {
  const whole = join(FRAMES);

  test('reads frames that arrive all at once, one by one or byte by byte', () => {
    expect(read([whole])).toEqual(EVENTS);
    expect(read(FRAMES)).toEqual(EVENTS);
    expect(read([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
  });

  test('reads frames that are cut at any position', () => {
    for (let cut = 0; cut <= whole.length; cut += 1)
      expect(read([whole.subarray(0, cut), new Uint8Array(), whole.subarray(cut)])).toEqual(EVENTS);
  });

  test('returns each event as soon as it is complete', () => {
    const reader = new EventStreamReader();
    const [head, ...rest] = FRAMES;
    expect(reader.push(join([head!, rest[0]!.subarray(0, 20)]))).toEqual(EVENTS.slice(0, 1));
    expect(reader.push(rest[0]!.subarray(20))).toEqual(EVENTS.slice(1, 2));
  });

  test('returns nothing for a truncated frame', () => {
    expect(read([whole.subarray(0, whole.length - 1)])).toEqual(EVENTS.slice(0, -1));
  });

  test('keeps its bytes when the caller overwrites the buffer', () => {
    const reader = new EventStreamReader();
    const piece = join([FRAMES[0]!, FRAMES[1]!.subarray(0, 30)]);
    expect(reader.push(piece)).toEqual(EVENTS.slice(0, 1));
    piece.fill(0);
    expect(reader.push(FRAMES[1]!.subarray(30))).toEqual(EVENTS.slice(1, 2));
  });

  test('reads a large frame in small pieces', () => {
    const body = `{"x":"${'y'.repeat(4 * 1024 ** 2)}"}`;
    const bytes = event('contentBlockDelta', body);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 1_000) pieces.push(bytes.subarray(at, at + 1_000));
    expect(read(pieces)).toEqual([{ event: 'contentBlockDelta', data: body }]);
  });

  test('refuses a frame with any byte changed, apart from its lengths', () => {
    const bytes = FRAMES[0]!;
    for (let at = 8; at < bytes.length; at += 1) {
      const damaged = new Uint8Array(bytes);
      damaged[at]! ^= 1;
      expect(() => read([damaged])).toThrow(expect.objectContaining({ fault: 'malformed' }));
    }
  });

  test.each([
    ['a length below the minimum', 15, 0],
    ['a length that does not match its checksum', 24 * 1024 ** 2 + 1, 0],
    ['headers longer than the frame', 100, 85],
    ['text', 0x3c68746d, 0x6c3e0a3c],
  ])('refuses %s at once', (_, length, headers) => {
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, length);
    view.setUint32(4, headers);
    expect(() => read([bytes])).toThrow(expect.objectContaining({ fault: 'malformed' }));
  });
});
