/** WebSocket frames: those of a server can be cut anywhere, and those that are sent follow the protocol. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Message } from '../../src/wire/websocket/reader.ts';
import { fittingReason, isSendable } from '../../src/wire/websocket/close.ts';
import { closePayload, encodeFrame } from '../../src/wire/websocket/frames.ts';
import { FrameFlaw, FrameReader } from '../../src/wire/websocket/reader.ts';

/** A frame as a server sends it, without a mask. */
function frame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

const text = (words: string) => frame(0x81, Buffer.from(words));

/** The messages that are read if the bytes arrive in pieces of these sizes. */
function read(bytes: Uint8Array, sizes: readonly number[], maxMessage = 1_000_000): Message[] {
  const reader = new FrameReader(maxMessage);
  const messages: Message[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    messages.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return messages;
}

test('FrameReader returns the same messages wherever their bytes are cut', () => {
  const long = 'é'.repeat(40_000);
  const whole = Buffer.concat([
    text('one'),
    frame(0x89, Buffer.from('ping')),
    frame(0x01, Buffer.from('tw')),
    frame(0x8a, Buffer.alloc(0)),
    frame(0x00, Buffer.alloc(0)),
    frame(0x80, Buffer.from('o')),
    frame(0x82, Buffer.from([1, 2, 3])),
    text('x'.repeat(300)),
    text(long),
    text(''),
    text('\uFEFFmark'),
    frame(0x88, closePayload(4000, 'done')),
  ]);
  const expected = read(whole, []);
  expect(expected.map((message) => (message.kind === 'text' ? message.text : message.kind))).toEqual([
    'one',
    'ping',
    'pong',
    'two',
    'binary',
    'x'.repeat(300),
    long,
    '',
    '\uFEFFmark',
    'close',
  ]);
  expect(expected.at(-1)).toEqual({ kind: 'close', code: 4000, reason: 'done' });
  const sizes = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, (cut) => expect(read(whole, cut)).toEqual(expected)),
    { numRuns: 200 },
  );
  expect(read(whole, [1])).toEqual(expected);
});

describe('FrameReader refuses with the right close code', () => {
  test.each([
    ['a frame with an extension', frame(0xc1, Buffer.from('x')), 1002],
    ['a masked frame', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]), 1002],
    ['an unknown frame type', frame(0x83, Buffer.from('x')), 1002],
    ['an unknown control frame', frame(0x8b, Buffer.alloc(0)), 1002],
    ['a fragmented control frame', frame(0x09, Buffer.from('x')), 1002],
    ['a control frame that is too long', frame(0x89, Buffer.alloc(126)), 1002],
    ['a final fragment without a beginning', frame(0x80, Buffer.from('x')), 1002],
    ['a message within a message', Buffer.concat([frame(0x01, Buffer.from('x')), text('y')]), 1002],
    ['text that is not UTF-8', frame(0x81, Buffer.from([0xff])), 1007],
    ['half a close code', frame(0x88, Buffer.from([3])), 1002],
    ['a reserved close code', frame(0x88, closePayload(1006, '')), 1002],
    ['a message that is too large', text('x'.repeat(101)), 1009],
    [
      'fragments that are too large together',
      Buffer.concat([frame(0x01, Buffer.alloc(60)), frame(0x00, Buffer.alloc(60))]),
      1009,
    ],
    ['an extremely large length', Buffer.from([0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]), 1009],
  ] as const)('%s', (_, bytes, code) => {
    let flaw: unknown;
    try {
      read(bytes, [1], 100);
    } catch (thrown) {
      flaw = thrown;
    }
    expect(flaw).toBeInstanceOf(FrameFlaw);
    expect((flaw as FrameFlaw).code).toBe(code);
  });
});

test('encodeFrame() masks a frame, which decodes to the same message', () => {
  for (const length of [0, 5, 125, 126, 65_535, 65_536, 200_000]) {
    const payload = Buffer.alloc(length, 'abc');
    const mask = Buffer.from([1, 2, 3, 250]);
    const sent = encodeFrame(1, payload, mask);
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(sent[1]! & 0x80).toBe(0x80);
    const body = sent.subarray(header + 4).map((byte, at) => byte ^ mask[at & 3]!);
    const unmasked = Buffer.concat([sent.subarray(0, header), body]);
    unmasked[1]! &= 0x7f;
    expect(read(unmasked, [])).toEqual([{ kind: 'text', text: payload.toString() }]);
  }
});

test('fittingReason() shortens a close reason to whole characters, and isSendable() knows the valid close codes', () => {
  expect(fittingReason('short')).toBe('short');
  expect(fittingReason('é'.repeat(100))).toBe('é'.repeat(61));
  expect(Buffer.byteLength(fittingReason('😀'.repeat(100)))).toBeLessThanOrEqual(123);
  expect([1000, 1001, 1011, 3000, 4999].every(isSendable)).toBe(true);
  expect([0, 999, 1004, 1005, 1006, 1015, 2999, 5000].some(isSendable)).toBe(false);
});
