/** Reads the heads of log lines, and nothing else. */
import { HeadScan } from '../../../logs/head.ts';
import { headOf } from '../../../logs/newest/found.ts';
import { isObject, parseJson } from '../../../wire/json.ts';
import type { OnHead } from './followed.ts';

const NEWLINE = 10;

/** The first field after the head. */
const BODY = Buffer.from(',"lane":');

/** An upper bound for the length of a head: names and tags in it are bounded. */
const HEAD_BYTES = 16_384;

export class LineHeads {
  readonly #from: string;
  readonly #fromMs: number;
  readonly #onHead: OnHead;

  constructor(fromMs: number, onHead: OnHead) {
    this.#fromMs = fromMs;
    // Times in the form of the log sort like strings.
    this.#from = new Date(Math.max(0, fromMs)).toISOString();
    this.#onHead = onHead;
  }

  /** Whole lines, with their line ends. */
  lines({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): void {
    const block = Buffer.from(buffer, byteOffset, byteLength);
    const heads = new HeadScan(block);
    for (let from = 0; from < block.length;) {
      const newline = block.indexOf(NEWLINE, from);
      if (newline < 0) return;
      const known = heads.shared(from, newline) !== undefined;
      if (!known || heads.time(from) >= this.#from) this.#line(block.subarray(from, newline), known);
      from = newline + 1;
    }
  }

  #line(line: Buffer, known: boolean): void {
    const end = known ? line.subarray(0, HEAD_BYTES).indexOf(BODY) : -1;
    const head = end < 0 ? headOf(line) : parseJson(`${line.toString('utf8', 0, end)}}`);
    if (!isObject(head)) return;
    const ms = Date.parse(String(head.ts));
    if (ms >= this.#fromMs) this.#onHead(head, ms);
  }
}
