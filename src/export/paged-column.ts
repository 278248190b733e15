import type { Make, Numbers } from './column.ts';
import type { Spool } from './spool.ts';

/** Numbers that are written at once. */
const PIECE_BITS = 16;
const PIECE = 1 << PIECE_BITS;
/** Numbers that are read at once: they are asked for in order, or nearly. */
const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;

/** A list of any length that takes memory for its newest numbers and one page; all others wait in a file. */
export class PagedColumn<A extends Numbers> {
  readonly #spool: () => Spool;
  readonly #newest: A;
  readonly #page: A;
  readonly #pageBytes: Uint8Array;
  #pageNumber = -1;
  /** Where each piece begins in the file. */
  readonly #pieces: number[] = [];
  #inFile = 0;
  #length = 0;

  /** @param spool asked for when there is more than fits into memory */
  constructor(make: Make<A>, spool: () => Spool) {
    this.#spool = spool;
    this.#newest = make(PIECE);
    this.#page = make(PAGE);
    this.#pageBytes = bytesOf(this.#page);
  }

  get length(): number {
    return this.#length;
  }

  /** @throws ExportError when the disk is full */
  append(values: A): void {
    for (let from = 0; from < values.length;) {
      if (this.#length - this.#inFile === PIECE) this.#write();
      const at = this.#length - this.#inFile;
      const part = values.subarray(from, from + PIECE - at);
      this.#newest.set(part, at);
      this.#length += part.length;
      from += part.length;
    }
  }

  at(index: number): number {
    if (index >= this.#inFile) return this.#newest[index - this.#inFile]!;
    const page = index >>> PAGE_BITS;
    if (page !== this.#pageNumber) this.#read(page);
    return this.#page[index & (PAGE - 1)]!;
  }

  #write(): void {
    this.#pieces.push(this.#spool().append(bytesOf(this.#newest)));
    this.#inFile += PIECE;
  }

  #read(page: number): void {
    const perPiece = PIECE_BITS - PAGE_BITS;
    const place = (page & ((1 << perPiece) - 1)) * this.#pageBytes.length;
    this.#spool().read(this.#pageBytes, this.#pieces[page >>> perPiece]! + place);
    this.#pageNumber = page;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
