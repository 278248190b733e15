/** Characters that are escaped byte by byte, as `%C3%BC` in URLs, `=C3=BC` in mail and `\303\274` in source code. */
import type { Piece } from './piece.ts';

const FIRST_BEYOND_ASCII = 0x80;
/** The first printed character that Latin-1 has and ASCII does not. */
const FIRST_OF_LATIN1 = 0xa0;

/**
 * Adds the characters of consecutive escapes, of which each is one byte. Bytes that are no UTF-8 are characters of
 * Latin-1, or stay as they are.
 * @param size the length of one escape
 */
export function addBytes(
  out: Piece[],
  from: number,
  bytes: readonly number[],
  { size, latin1 }: { readonly size: number; readonly latin1: boolean },
): void {
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!;
    const length = byte < FIRST_BEYOND_ASCII ? 1 : lengthAt(bytes, at);
    const place = from + at * size;
    if (byte < FIRST_BEYOND_ASCII || (length === 0 && latin1 && byte >= FIRST_OF_LATIN1))
      out.push({ from: place, to: place + size, plain: String.fromCharCode(byte) });
    else if (length > 0)
      out.push({ from: place, to: place + length * size, plain: characterAt(bytes, at, length) });
    at += Math.max(1, length);
  }
}

/** The number of bytes of the character beyond ASCII at a position; 0 if it is no UTF-8. */
function lengthAt(bytes: readonly number[], at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let next = 1; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

function characterAt(bytes: readonly number[], at: number, length: number): string {
  let code = bytes[at]! & (0xff >> (length + 1));
  for (let next = 1; next < length; next++) code = (code << 6) | (bytes[at + next]! & 0x3f);
  return code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
}
