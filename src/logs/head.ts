/** Reads what a filter needs from the first bytes of log lines, without parsing the rest. */
import { RECORD_VERSION } from './record.ts';

/** The part of the head that filters look at; see record.ts. */
export interface LineHead {
  readonly outcome: string;
  readonly status: number;
  readonly endpoint: string;
  readonly model: string;
  readonly finish: string | null;
}

/** How every line of ours begins. Within a JSON string its quotes would be escaped. */
export const LINE_START = `{"v":${RECORD_VERSION},"ts":"`;

const START = Buffer.from(LINE_START);
const ID = Buffer.from('","id":"');
const OUTCOME = Buffer.from('","outcome":"');
const FAULT = Buffer.from(',"fault":');
const QUOTE = 0x22;
/** Of an ISO time with milliseconds, as all are that this proxy writes. */
const TIME_BYTES = 24;
/** Names are bounded; what is longer is no head of ours. */
const MOST_BYTES = 4_096;

const text = '"[^"\\\\\\x00-\\x1f]*"';
const plain = '([^"\\\\\\x00-\\x1f\\x7f-\\xff]*)';
const SHARED = new RegExp(
  `^","outcome":"${plain}","status":(\\d{1,5}),"endpoint":"${plain}","stream":(?:true|false),` +
    `"model":"${plain}","provider":(?:null|${text}),"upstream_model":(?:null|${text}),"finish":(?:null|"${plain}")$`,
);

/**
 * The heads of the lines of a block, asked about in their order. A line whose head is not in the exact form that the log
 * writer gives it, or that may hold another record behind a torn one, is told as unknown: it must be parsed.
 */
export class HeadScan {
  readonly #block: Buffer;
  readonly #starts: Search;
  readonly #outcomes: Search;
  readonly #faults: Search;

  constructor(block: Buffer) {
    this.#block = block;
    this.#starts = new Search(block, START);
    this.#outcomes = new Search(block, OUTCOME);
    this.#faults = new Search(block, FAULT);
  }

  /**
   * The part of a head that many lines share, from its outcome to its finish reason, for {@link parseShared}.
   * @param from where the line begins in the block
   * @param to behind its last byte
   */
  shared(from: number, to: number): string | undefined {
    if (this.#starts.from(from) !== from || this.#starts.from(from + 1) < to) return undefined;
    const block = this.#block;
    const time = from + START.length;
    const id = time + TIME_BYTES + ID.length;
    const begin = id < to ? this.#outcomes.from(id) : to;
    const end = begin < to ? this.#faults.from(begin) : to;
    if (end >= to || end - begin > MOST_BYTES || block.indexOf(QUOTE, time) !== time + TIME_BYTES)
      return undefined;
    // The id ends with the first quote, else it has one within or is followed by something else.
    if (block.indexOf(QUOTE, id) !== begin || block.compare(ID, 0, ID.length, id - ID.length, id) !== 0)
      return undefined;
    return block.toString('latin1', begin, end);
  }

  /** The time of a line whose head is known. */
  time(from: number): string {
    return this.#block.toString('latin1', from + START.length, from + START.length + TIME_BYTES);
  }
}

/** Names with escapes or letters beyond ASCII count as unknown, so what is returned is always exact. */
export function parseShared(shared: string): LineHead | undefined {
  const match = SHARED.exec(shared);
  if (!match) return undefined;
  const [, outcome, status, endpoint, model, finish] = match;
  return {
    outcome: outcome!,
    status: Number(status),
    endpoint: endpoint!,
    model: model!,
    finish: finish ?? null,
  };
}

/** Looks for the same bytes again and again, ever further on, and reads no byte twice. */
class Search {
  readonly #block: Buffer;
  readonly #bytes: Buffer;
  /** Where they were found; all that lies between `#asked` and here is without them. */
  #found = -1;
  #asked = 0;

  constructor(block: Buffer, bytes: Buffer) {
    this.#block = block;
    this.#bytes = bytes;
  }

  /** Where they begin next at or behind a place that is never before the last one; the block's length when nowhere. */
  from(place: number): number {
    if (place > this.#found || place < this.#asked) {
      const found = this.#block.indexOf(this.#bytes, place);
      this.#found = found < 0 ? this.#block.length : found;
      this.#asked = place;
    }
    return this.#found;
  }
}
