/** Frames as a client sends them. @see https://www.rfc-editor.org/rfc/rfc6455#section-5 */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** The length of the key that masks a frame, bytes. */
export const MASK_BYTES = 4;

/** A key is applied to whole words, which takes a quarter of the time. */
const WORD_BYTES = MASK_BYTES;

/**
 * One whole, masked frame. @param mask four unpredictable bytes, different for each frame
 */
export function encodeFrame(opcode: Opcode, payload: Uint8Array, mask: Uint8Array): Buffer {
  const { length } = payload;
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const start = header + MASK_BYTES;
  // So that the payload begins where whole words do.
  const before = -start & (WORD_BYTES - 1);
  const frame = Buffer.from(new ArrayBuffer(before + start + length), before);
  frame[0] = 0x80 | opcode;
  if (header === 2) frame[1] = 0x80 | length;
  else if (header === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length % 2 ** 32, 6);
  }
  frame.set(mask, header);
  frame.set(payload, start);
  const words = Math.floor(length / WORD_BYTES);
  const [word] = new Uint32Array(Uint8Array.from(mask).buffer) as unknown as [number];
  const masked = new Uint32Array(frame.buffer, before + start, words);
  for (let at = 0; at < words; at += 1) masked[at]! ^= word;
  for (let at = words * WORD_BYTES; at < length; at += 1) frame[start + at]! ^= mask[at & 3]!;
  return frame;
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string): Uint8Array {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return payload;
}
