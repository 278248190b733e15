import type { Make, Numbers } from './column.ts';
import type { Spool } from './spool.ts';
import type { Kept } from './least-recent.ts';
import { longestUnused } from './least-recent.ts';

/** How many numbers are written at once. */
const PIECE_BITS = 16;
const PIECE = 1 << PIECE_BITS;
/** How many numbers are read at once: they are requested roughly in order. */
const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;

/** A page of numbers that was read. */
interface Page<A> extends Kept {
  readonly values: A;
  readonly bytes: Uint8Array;
  /** The index of the page; -1 for none. */
  number: number;
}

/** A list of any length that keeps its newest numbers and few pages in memory; the rest is in a file. */
export class PagedColumn<A extends Numbers> {
  readonly #spool: () => Spool;
  readonly #make: Make<A>;
  readonly #newest: A;
  readonly #most: number;
  readonly #pages: Page<A>[] = [];
  /** The page used last. */
  #page: Page<A>;
  #turn = 0;
  /** The offset of each piece in the file. */
  readonly #pieces: number[] = [];
  #inFile = 0;
  #length = 0;

  /**
   * @param spool called when the list no longer fits into memory
   * @param pages the number of pages kept: one for each position that is read from in turn
   */
  constructor(make: Make<A>, spool: () => Spool, pages = 1) {
    this.#spool = spool;
    this.#make = make;
    this.#most = pages;
    this.#newest = make(PIECE);
    this.#page = this.#more();
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
    const number = index >>> PAGE_BITS;
    if (number !== this.#page.number) this.#turnTo(number);
    return this.#page.values[index & (PAGE - 1)]!;
  }

  #turnTo(number: number): void {
    this.#page = this.#known(number) ?? this.#read(number);
    this.#page.used = this.#turn += 1;
  }

  #known(number: number): Page<A> | undefined {
    for (const page of this.#pages) if (page.number === number) return page;
    return undefined;
  }

  #more(): Page<A> {
    const values = this.#make(PAGE);
    const page = { values, bytes: bytesOf(values), number: -1, used: 0 };
    this.#pages.push(page);
    return page;
  }

  #write(): void {
    this.#pieces.push(this.#spool().append(bytesOf(this.#newest)));
    this.#inFile += PIECE;
  }

  #read(number: number): Page<A> {
    const page = this.#room();
    const perPiece = PIECE_BITS - PAGE_BITS;
    const place = (number & ((1 << perPiece) - 1)) * page.bytes.length;
    this.#spool().read(page.bytes, this.#pieces[number >>> perPiece]! + place);
    page.number = number;
    return page;
  }

  #room(): Page<A> {
    if (this.#page.number === -1) return this.#page;
    return this.#pages.length < this.#most ? this.#more() : longestUnused(this.#pages);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
