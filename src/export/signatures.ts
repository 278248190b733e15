import { Spool } from './spool.ts';

/** Rows read at once: they are asked for in order, or nearly. */
const READ_ROWS = 4_096;

/** Signatures of rows, in a file until they are asked for. All have one length. */
export class Signatures {
  readonly #beside: string;
  #spool: Spool | undefined;
  #size = 0;
  #read: Uint8Array<ArrayBuffer> | undefined;
  #readFrom = 0;
  #readRows = 0;

  /** @param beside where the export goes; the file is on the same disk */
  constructor(beside: string) {
    this.#beside = beside;
  }

  add(signatures: Uint8Array, rows: number): void {
    if (signatures.length === 0) return;
    this.#size = signatures.length / rows;
    this.#spool ??= new Spool(this.#beside);
    this.#spool.append(signatures);
  }

  /** Valid until the next one is asked for. */
  of(row: number): Uint8Array {
    const size = this.#size;
    const at = row - this.#readFrom;
    if (this.#read && at >= 0 && at < this.#readRows) return this.#read.subarray(at * size, (at + 1) * size);
    this.#read ??= new Uint8Array(READ_ROWS * size);
    const bytes = Math.min(this.#spool!.length - row * size, this.#read.length);
    this.#spool!.read(this.#read.subarray(0, bytes), row * size);
    this.#readFrom = row;
    this.#readRows = bytes / size;
    return this.#read.subarray(0, size);
  }

  close(): void {
    this.#spool?.close();
  }
}
