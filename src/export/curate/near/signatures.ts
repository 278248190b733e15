import { Spool } from '../table/spool.ts';
import type { Kept } from '../table/least-recent.ts';
import { longestUnused } from '../table/least-recent.ts';

/** The number of rows read at once, in all windows together: they are requested roughly in order. */
const READ_ROWS = 4_096;

/** Consecutive rows that were read. */
interface Window extends Kept {
  readonly memory: Uint8Array<ArrayBuffer>;
  from: number;
  rows: number;
}

/** Signatures of rows, stored in a file until they are needed. All have the same length. */
export class Signatures {
  readonly #beside: string;
  readonly #most: number;
  #spool: Spool | undefined;
  #size = 0;
  readonly #windows: Window[] = [];
  #turn = 0;

  /**
   * @param beside the output path; the file is on the same disk
   * @param windows the number of positions that are read from in turn
   */
  constructor(beside: string, windows = 1) {
    this.#beside = beside;
    this.#most = windows;
  }

  add(signatures: Uint8Array, rows: number): void {
    if (signatures.length === 0) return;
    this.#size = signatures.length / rows;
    this.#spool ??= new Spool(this.#beside);
    this.#spool.append(signatures);
  }

  /** Valid until the next call. */
  of(row: number): Uint8Array {
    const size = this.#size;
    const window = this.#known(row) ?? this.#read(row);
    window.used = this.#turn += 1;
    const { memory, from } = window;
    return memory.subarray((row - from) * size, (row - from + 1) * size);
  }

  close(): void {
    this.#spool?.close();
  }

  #known(row: number): Window | undefined {
    for (const window of this.#windows)
      if (row >= window.from && row < window.from + window.rows) return window;
    return undefined;
  }

  #read(row: number): Window {
    const window = this.#room();
    const size = this.#size;
    const bytes = Math.min(this.#spool!.length - row * size, window.memory.length);
    this.#spool!.read(window.memory.subarray(0, bytes), row * size);
    window.from = row;
    window.rows = bytes / size;
    return window;
  }

  #room(): Window {
    if (this.#windows.length < this.#most) {
      const memory = new Uint8Array(Math.ceil(READ_ROWS / this.#most) * this.#size);
      const window = { memory, from: 0, rows: 0, used: 0 };
      this.#windows.push(window);
      return window;
    }
    return longestUnused(this.#windows);
  }
}
