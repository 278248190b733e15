import type { Steps } from '../turns.ts';

/** Bytes that are decoded between two pauses, which takes some 40 ms: joining pieces would take longer. */
const DECODED = 64 * 1024 * 1024;

/** Characters that are encoded between two pauses. */
const ENCODED = 4 * 1024 * 1024;

/** Bytes that are copied between two pauses. */
const COPIED = 4 * 1024 * 1024;

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();
const encoder = new TextEncoder();

/**
 * UTF-8 as text.
 * @param fatal whether bytes that are no UTF-8 are an error; otherwise they become U+FFFD
 * @throws TypeError
 */
export function* decodeInSteps(bytes: Uint8Array, fatal: boolean): Steps<string> {
  if (bytes.length <= DECODED) return (fatal ? strict : lenient).decode(bytes);
  const decoder = new TextDecoder('utf-8', { fatal });
  let text = '';
  for (let at = 0; at < bytes.length; at += DECODED) {
    text += decoder.decode(bytes.subarray(at, at + DECODED), { stream: true });
    yield;
  }
  return text + decoder.decode();
}

/** Text as UTF-8. */
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

/** Pieces as one. */
export function* concatInSteps(pieces: readonly Uint8Array[]): Steps<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += COPIED) {
      const part = piece.subarray(at, at + COPIED);
      whole.set(part, end);
      end += part.length;
      // Memory that was never used costs more at the first touch than the copy does.
      if (end % COPIED < part.length) yield;
    }
  }
  return whole;
}

/** The last place up to `end` that is not within a pair of surrogates. */
export function wholeBefore(text: string, end: number): number {
  return /[\ud800-\udbff]/.test(text[end - 1] ?? '') && end < text.length
    ? end - 1
    : Math.min(end, text.length);
}

/** Shorter pieces are put together, in blocks of at most this size, bytes. */
const SHORT_PIECE = 4 * 1024;
const BLOCK = 64 * 1024;

/** Bytes that come in pieces of any size, in memory of their own size: a piece of one byte is an object of a hundred. */
export class Blocks {
  readonly #pieces: Uint8Array[] = [];
  /** Where short pieces go until there are no more. */
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
    // A block as large as what came before it: few of them, and none for one short answer alone.
    if (this.#block.length < piece.length + this.#used)
      this.#block = new Uint8Array(Math.min(BLOCK, Math.max(SHORT_PIECE, this.#length)));
    this.#block.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** All of them as one. */
  *whole(): Steps<Uint8Array<ArrayBuffer>> {
    this.#flush();
    return yield* concatInSteps(this.#pieces);
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#block.slice(0, this.#used));
    this.#used = 0;
    // The next one may be larger.
    if (this.#block.length < BLOCK) this.#block = new Uint8Array();
  }
}
