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

/** What pieces are collected in, bytes. */
const BLOCK = 64 * 1024;

/**
 * Bytes that come in pieces of any size, in memory of their own size: a piece of one byte is an object of a hundred.
 */
export class Blocks {
  readonly #full: Uint8Array[] = [];
  #last = new Uint8Array();
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    this.#length += piece.length;
    for (let at = 0; at < piece.length;) {
      if (this.#used === this.#last.length) this.#begin();
      const part = piece.subarray(at, at + this.#last.length - this.#used);
      this.#last.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
    }
  }

  /** All of them as one. */
  *whole(): Steps<Uint8Array<ArrayBuffer>> {
    return yield* concatInSteps([...this.#full, this.#last.subarray(0, this.#used)]);
  }

  #begin(): void {
    if (this.#used > 0) this.#full.push(this.#last);
    this.#last = new Uint8Array(BLOCK);
    this.#used = 0;
  }
}
