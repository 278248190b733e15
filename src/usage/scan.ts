/** Reads the heads of log lines, and nothing else if a head has the form that the log writer gives it. */
import type { UsageOptions } from './options.ts';
import type { Tally } from './tally.ts';
import { HeadScan } from '../logs/head.ts';
import { withoutBom } from '../logs/lines.ts';
import { parseLine } from '../logs/reader.ts';
import { RECORD_VERSION } from '../logs/record.ts';
import { isObject, parseJson } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';

const NEWLINE = 10;
const RETURN = 13;

/** The first field after the head. */
const BODY = Buffer.from(',"lane":');

/** An upper bound for the length of a head: names and tags in it are bounded. */
const HEAD_BYTES = 16_384;

/** The length of an ISO time with milliseconds, the form that this proxy writes. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Passes the heads within the period to a tally. */
export class Scanner {
  readonly #tally: Tally;
  /** Such times sort like strings. */
  readonly #from: string;
  readonly #until: string;

  constructor({ fromMs, untilMs }: Pick<UsageOptions, 'fromMs' | 'untilMs'>, tally: Tally) {
    this.#tally = tally;
    this.#from = fromMs === undefined ? '' : isoTime(fromMs);
    this.#until = untilMs === undefined ? '~' : isoTime(untilMs);
  }

  /** Adds whole lines; only the last line of a file may lack its end. */
  lines({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): void {
    const block = Buffer.from(buffer, byteOffset, byteLength);
    const heads = new HeadScan(block);
    for (let from = 0; from < block.length;) {
      const newline = block.indexOf(NEWLINE, from);
      const end = newline < 0 ? block.length : newline;
      const to = block[end - 1] === RETURN ? end - 1 : end;
      if (from < to) this.#line(block, heads, { from, to, terminated: newline >= 0 });
      from = end + 1;
    }
  }

  /** Adds a line that is too long to be kept, or damaged data. */
  unreadable(): void {
    this.#tally.unreadable += 1;
  }

  #line(block: Buffer, heads: HeadScan, line: { from: number; to: number; terminated: boolean }): void {
    const { from, to, terminated } = line;
    if (terminated && heads.shared(from, to) !== undefined) {
      const ts = heads.time(from);
      if (ts < this.#from || ts > this.#until) return;
      const head = headOf(block.subarray(from, to));
      if (head) return this.#tally.add(head);
    }
    const bytes = withoutBom(block.subarray(from, to));
    const { value, problem } = parseLine({ bytes, number: 1, terminated, tooLong: false });
    const record = value && isRecord(value) ? value : undefined;
    // An incomplete last line is still being written; it is not damaged.
    if ((problem && problem !== 'incomplete') || (value && !record)) this.unreadable();
    if (record && record.ts >= this.#from && record.ts <= this.#until) this.#tally.add(record);
  }
}

function headOf(line: Buffer): JsonObject | undefined {
  const end = line.subarray(0, HEAD_BYTES).indexOf(BODY);
  const head = end < 0 ? undefined : parseJson(`${line.toString('utf8', 0, end)}}`);
  return isObject(head) ? head : undefined;
}

function isRecord(value: JsonObject): value is JsonObject & { readonly ts: string } {
  const { v, ts, outcome } = value;
  return v === RECORD_VERSION && typeof ts === 'string' && TIME.test(ts) && typeof outcome === 'string';
}

/** A moment in the written form; years outside its range become the first or the last one. */
function isoTime(ms: number): string {
  const [first, last] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];
  return new Date(Math.min(Math.max(ms, first), last)).toISOString();
}
