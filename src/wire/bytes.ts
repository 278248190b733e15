import { isUtf8 } from 'node:buffer';
import type { Steps } from '../turns.ts';

/** How many bytes are decoded between two pauses, which takes about 40 ms: joining smaller pieces would take longer. */
const DECODED = 64 * 1024 * 1024;

/** The same for bytes that are not valid UTF-8, which Bun decodes thirty times as slowly. */
const INVALID_DECODED = 512 * 1024;

/** How many characters are encoded between two pauses. */
const ENCODED = 4 * 1024 * 1024;

/** How many bytes are copied between two pauses. */
const COPIED = 4 * 1024 * 1024;

const INVALID = 'expected valid UTF-8';

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Decodes UTF-8.
 * @param fatal whether invalid UTF-8 is an error; otherwise it becomes U+FFFD
 * @throws TypeError
 */
export function* decodeInSteps(bytes: Uint8Array, fatal: boolean): Steps<string> {
  if (bytes.length <= INVALID_DECODED) return (fatal ? strict : lenient).decode(bytes);
  const isValid = isUtf8(bytes);
  if (fatal && !isValid) throw new TypeError(INVALID);
  const size = isValid ? DECODED : INVALID_DECODED;
  if (bytes.length <= size) {
    const text = strict.decode(bytes);
    // Reading it takes long as well.
    yield;
    return text;
  }
  const decoder = new TextDecoder();
  let text = '';
  for (let at = 0; at < bytes.length; at += size) {
    text += decoder.decode(bytes.subarray(at, at + size), { stream: true });
    yield;
  }
  return text + decoder.decode();
}

/** Decodes UTF-8 at once. @throws TypeError if it is invalid, without decoding it if it is long */
export function decodeStrictly(bytes: Uint8Array): string {
  if (bytes.length > INVALID_DECODED && !isUtf8(bytes)) throw new TypeError(INVALID);
  return strict.decode(bytes);
}

/** Encodes text as UTF-8. */
export function* encodeInSteps(text: string): Steps<Uint8Array<ArrayBuffer>> {
  if (text.length <= ENCODED) return encoder.encode(text);
  const bytes = new Uint8Array(Buffer.byteLength(text));
  let written = 0;
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = wholeBefore(text, at + ENCODED);
    written += encoder.encodeInto(text.slice(at, end), bytes.subarray(written)).written;
    yield;
  }
  return bytes;
}

/** Concatenates pieces. */
export function* concatInSteps(pieces: readonly Uint8Array[]): Steps<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += COPIED) {
      const part = piece.subarray(at, at + COPIED);
      whole.set(part, end);
      end += part.length;
      // The first access to fresh memory costs more than the copy.
      if (end % COPIED < part.length) yield;
    }
  }
  return whole;
}

/** The last position up to `end` that is not within a surrogate pair. */
export function wholeBefore(text: string, end: number): number {
  return /[\ud800-\udbff]/.test(text[end - 1] ?? '') && end < text.length
    ? end - 1
    : Math.min(end, text.length);
}

/** Shorter pieces are combined in blocks of at most this size, bytes. */
const SHORT_PIECE = 4 * 1024;
const BLOCK = 64 * 1024;

/** Collects bytes that arrive in pieces of any size, compactly: a piece of one byte is an object of a hundred. */
export class Blocks {
  readonly #pieces: Uint8Array[] = [];
  /** The block that short pieces are copied to. */
  #block = new Uint8Array();
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    const short = piece.length < SHORT_PIECE;
    if (!short || this.#used + piece.length > this.#block.length) this.#flush();
    this.#length += piece.length;
    if (!short) return void this.#pieces.push(piece);
    // A block as large as everything before it: few blocks, and none for a single short answer.
    if (this.#block.length < piece.length + this.#used)
      this.#block = new Uint8Array(Math.min(BLOCK, Math.max(SHORT_PIECE, this.#length)));
    this.#block.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** Everything in one piece. */
  *whole(): Steps<Uint8Array<ArrayBuffer>> {
    this.#flush();
    return yield* concatInSteps(this.#pieces);
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#block.slice(0, this.#used));
    this.#used = 0;
    // The next piece may be larger.
    if (this.#block.length < BLOCK) this.#block = new Uint8Array();
  }
}
