import type { Steps } from '../turns.ts';

/** Bytes that are decoded between two pauses. */
const PIECE = 4 * 1024 * 1024;

/**
 * UTF-8 as text.
 * @param fatal whether bytes that are no UTF-8 are an error; otherwise they become U+FFFD
 * @throws TypeError
 */
export function* decodeInSteps(bytes: Uint8Array, fatal: boolean): Steps<string> {
  if (bytes.length <= PIECE) return (fatal ? strict : lenient).decode(bytes);
  const decoder = new TextDecoder('utf-8', { fatal });
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += decoder.decode(bytes.subarray(at, at + PIECE), { stream: true });
    yield;
  }
  return text + decoder.decode();
}

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();
