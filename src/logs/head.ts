/** Reads what a filter needs from the first bytes of log lines, without parsing the rest. */
import { ByteSearch } from './byte-search.ts';
import { RECORD_VERSION } from './record.ts';

/** The part of the head that filters look at; see record.ts. */
export interface LineHead {
  readonly outcome: string;
  readonly status: number;
  readonly endpoint: string;
  readonly model: string;
  readonly finish: string | null;
  /** `undefined` if it holds characters beyond ASCII, or if the status before it is not a JSON number. */
  readonly provider: string | null | undefined;
}

/** The numbers and the key in the rest of the head. */
export interface HeadRest {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly latencyMs: number | null;
  readonly key: string | null;
  /** `undefined` if they have letters beyond ASCII. */
  readonly conversation: string | null | undefined;
  readonly user: string | null | undefined;
  /** Its length, up to the value of `lane`. */
  readonly chars: number;
}

/** The beginning of every line that this proxy writes. Within a JSON string its quotes would be escaped. */
export const LINE_START = `{"v":${RECORD_VERSION},"ts":"`;

const START = Buffer.from(LINE_START);
const ID = Buffer.from('","id":"');
const OUTCOME = Buffer.from('","outcome":"');
const FAULT = Buffer.from(',"fault":');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PLAIN = 0x20;
/** The length of an ISO time with milliseconds, the form that this proxy writes. */
const TIME_BYTES = 24;
/** Names are bounded; anything longer is not a head of ours. */
const MOST_BYTES = 4_096;

const text = '"[^"\\\\\\x00-\\x1f]*"';
const plain = '([^"\\\\\\x00-\\x1f\\x7f-\\xff]*)';
const SHARED = new RegExp(
  `^","outcome":"${plain}","status":(\\d{1,5}),"endpoint":"${plain}","stream":(?:true|false),` +
    `"model":"${plain}","provider":(null|${text}),"upstream_model":(?:null|${text}),"finish":(?:null|"${plain}")$`,
);

const ASCII = /^[\x20-\x7e]*$/;

const number = 'null|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][-+]?\\d+)?';
const pair = `${text}:${text}`;
const REST = new RegExp(
  `^,"fault":(?:null|${text}),"attempts":(?:0|[1-9]\\d*),"input_tokens":(${number}),"cached_tokens":(?:${number}),` +
    `"cache_write_tokens":(?:${number}),"output_tokens":(${number}),"reasoning_tokens":(?:${number}),"cost":(?:${number}),` +
    `"latency_ms":(${number}),"first_content_ms":(?:${number}),"key":(?:null|"${plain}"),"conversation":(null|${text}),` +
    `"score":(?:${number})(?:,"user":(null|${text}))?(?:,"tags":(?:null|{(?:${pair}(?:,${pair})*)?}))?(?:,"group":${text})?,"lane":`,
);
/** The rest of a head is rarely longer. */
const REST_BYTES = 512;

/**
 * The heads of the lines in a block, read in order. If a head is not in the exact form that the log writer produces, or
 * the line may hold another record after a torn one, it is reported as unknown, and the line must be parsed.
 */
export class HeadScan {
  readonly #block: Buffer;
  readonly #starts: ByteSearch;
  readonly #faults: ByteSearch;
  /** About the line read last: its id, the part that it shares with many lines, and the end of that part. */
  #from = -1;
  #shared: string | undefined;
  #id = 0;
  #begin = 0;
  #end = 0;

  constructor(block: Buffer) {
    this.#block = block;
    this.#starts = new ByteSearch(block, START);
    this.#faults = new ByteSearch(block, FAULT);
  }

  /**
   * The part of a head that many lines share, from its outcome to its finish reason, as input for {@link parseShared}.
   * @param from where the line begins in the block
   * @param to just past its last byte
   */
  shared(from: number, to: number): string | undefined {
    // Filtering and conversion both ask about the same line.
    if (from !== this.#from) this.#shared = this.#find(from, to);
    this.#from = from;
    return this.#shared;
  }

  #find(from: number, to: number): string | undefined {
    if (this.#starts.from(from) !== from || this.#starts.from(from + 1) < to) return undefined;
    const block = this.#block;
    const quote = this.#quote(from + START.length, to);
    const id = quote + ID.length;
    if (quote !== from + START.length + TIME_BYTES || !this.#holds(ID, quote, to)) return undefined;
    // The id ends at the first quote; otherwise it contains a quote or is followed by something else.
    const begin = this.#quote(id, to);
    if (!this.#holds(OUTCOME, begin, to)) return undefined;
    const end = this.#faults.from(begin);
    if (end >= to || end - begin > MOST_BYTES) return undefined;
    this.#id = id;
    this.#begin = begin;
    this.#end = end;
    return block.toString('latin1', begin, end);
  }

  /**
   * The rest of the head of the line read last, from its fault to past its end, as input for {@link parseRest}.
   * @param from where the line begins
   * @param to just past its last byte
   * @returns `undefined` if the part before it may not be valid JSON
   */
  rest(from: number, to: number): string | undefined {
    const begin = from + START.length;
    if (!this.#plain(begin, begin + TIME_BYTES) || !this.#plain(this.#id, this.#begin)) return undefined;
    return this.#block.toString('latin1', this.#end, Math.min(to, this.#end + REST_BYTES));
  }

  /** Where the rest of the head of that line begins. */
  get restAt(): number {
    return this.#end;
  }

  /** The id of that line. */
  get id(): string {
    return this.#block.toString('utf8', this.#id, this.#begin);
  }

  /** The time of a line whose head is known. */
  time(from: number): string {
    return this.#block.toString('latin1', from + START.length, from + START.length + TIME_BYTES);
  }

  // For so few bytes a loop is faster than a call into the runtime.

  /** The position of the next quote at or after a position; `to` if there is none. */
  #quote(from: number, to: number): number {
    const block = this.#block;
    let at = from;
    while (at < to && block[at] !== QUOTE) at++;
    return Math.min(at, to);
  }

  /** Whether the line has these bytes at a position, with something after them. */
  #holds(bytes: Buffer, at: number, to: number): boolean {
    const block = this.#block;
    if (at + bytes.length >= to) return false;
    for (let index = 0; index < bytes.length; index++) if (block[at + index] !== bytes[index]) return false;
    return true;
  }

  /** Whether a part of a string has neither escapes nor characters that would need one. */
  #plain(from: number, to: number): boolean {
    const block = this.#block;
    for (let at = from; at < to; at++) if (block[at]! < FIRST_PLAIN || block[at] === BACKSLASH) return false;
    return true;
  }
}

/** Names with escapes or characters beyond ASCII count as unknown, so that whatever is returned is exact. */
export function parseShared(shared: string): LineHead | undefined {
  const match = SHARED.exec(shared);
  if (!match) return undefined;
  const [, outcome, status, endpoint, model, provider, finish] = match;
  return {
    outcome: outcome!,
    status: Number(status),
    endpoint: endpoint!,
    model: model!,
    finish: finish ?? null,
    provider: String(Number(status)) === status ? nameIn(provider!) : undefined,
  };
}

/** The part of a head that {@link HeadScan.rest} returns; `undefined` if it does not have the usual form. */
export function parseRest(rest: string): HeadRest | undefined {
  const match = REST.exec(rest);
  if (!match) return undefined;
  const [whole, input, output, latency, key, conversation, user] = match;
  return {
    chars: whole.length,
    inputTokens: numberFrom(input!),
    outputTokens: numberFrom(output!),
    latencyMs: numberFrom(latency!),
    key: key ?? null,
    conversation: nameIn(conversation!),
    user: nameIn(user ?? 'null'),
  };
}

function nameIn(value: string): string | null | undefined {
  if (value === 'null') return null;
  return ASCII.test(value) ? value.slice(1, -1) : undefined;
}

function numberFrom(digits: string): number | null {
  return digits === 'null' ? null : Number(digits);
}
