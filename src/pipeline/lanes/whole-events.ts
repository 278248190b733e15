import { joined, lastEventEnd } from '../../wire/frames.ts';

const EMPTY = new Uint8Array();

/** A blank line is at most two line ends of two bytes: this many before its last byte. */
const LOOK_BACK = 3;

/**
 * Cuts a stream of bytes behind complete events. The incomplete one at the end is kept in pieces, without copying them.
 */
export class WholeEvents {
  /** Their total size is limited together with the answer. */
  #tail: Uint8Array[] = [];
  /** The last bytes of the pieces: a blank line may be spread over several of them. */
  #seam: Uint8Array = EMPTY;

  /** The pieces of all events that are complete with these bytes; `undefined` if none is. */
  push(bytes: Uint8Array): readonly Uint8Array[] | undefined {
    const end = lastEventEnd(joined(this.#seam, bytes)) - this.#seam.length;
    if (end <= 0) {
      this.#hold(bytes);
      return undefined;
    }
    const pieces = this.rest(end === bytes.length ? bytes : bytes.subarray(0, end));
    if (end < bytes.length) this.#hold(bytes.subarray(end));
    return pieces;
  }

  /** Takes out the pieces that are kept. @param last a piece that follows them */
  rest(last: Uint8Array = EMPTY): readonly Uint8Array[] {
    if (this.#tail.length === 0) return [last];
    const pieces = [...this.#tail, last];
    this.#tail = [];
    this.#seam = EMPTY;
    return pieces;
  }

  #hold(bytes: Uint8Array): void {
    this.#tail.push(bytes);
    this.#seam = joined(this.#seam, bytes.subarray(-LOOK_BACK)).subarray(-LOOK_BACK);
  }
}

/** The pieces as one; a single piece is not copied. */
export function together(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
