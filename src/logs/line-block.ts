/** Lines of the log while they are made: bytes in memory that is used again and again. */
import type { Searchable } from './finder.ts';
import { searchable } from './finder.ts';
import type { LogRecord } from './record.ts';
import { oneLine } from './record.ts';
import type { Redaction } from './redaction.ts';

/** A character of a string takes so many bytes at most, in UTF-8. */
const MAX_CHAR_BYTES = 3;
/** Most memory that is kept for further lines, bytes. */
const MAX_KEPT = 8 * 1024 * 1024;
const CLOSING = '}\n';
const REQUEST = ',"request":';
const RESPONSE = ',"response":';

/**
 * Makes records lines. Fresh memory for each batch costs page faults, and joining strings makes them be copied again.
 */
export class LineBlock {
  #own: Searchable;
  /** The same, unless a record did not fit into it. */
  #memory: Searchable;
  #used = 0;
  /** Behind each line. */
  #ends: number[] = [];

  /** @param size of the memory to begin with, bytes; it grows with the records */
  constructor(size: number) {
    this.#own = searchable(size);
    this.#memory = this.#own;
  }

  get bytes(): number {
    return this.#used;
  }

  /**
   * Adds a record's line: its head, then `request` and `response` as they are, without being parsed.
   * @returns false when the block is too full for it; one record always fits
   * @throws SyntaxError when a text is spread over lines and is no JSON; then nothing is added
   */
  add(record: LogRecord): boolean {
    const { request, response } = record;
    const head = headOf(record);
    const asked = request === undefined ? '' : oneLine(request);
    const answered = response === undefined ? '' : oneLine(response);
    const chars = head.length + asked.length + answered.length;
    if (!this.#fits(chars * MAX_CHAR_BYTES + REQUEST.length + RESPONSE.length + CLOSING.length)) return false;
    // Written in parts: to join them first would copy the large ones once more.
    const { bytes } = this.#memory;
    let at = this.#used;
    at += bytes.write(request === undefined ? head : head + REQUEST, at);
    if (request !== undefined) at += bytes.write(asked, at);
    if (response !== undefined) {
      at += bytes.write(RESPONSE, at);
      at += bytes.write(answered, at);
    }
    at += bytes.write(CLOSING, at);
    this.#used = at;
    this.#ends.push(at);
    return true;
  }

  /**
   * All lines without what is to be hidden. They are valid until the next call of `clear`.
   * @param lose told of a line, from 0, that is left out because redaction failed
   */
  redacted(redaction: Redaction, lose: (line: number, error: unknown) => void): Buffer {
    const { bytes } = this.#memory;
    const parts: Buffer[] = [];
    let from = 0;
    for (const line of redaction.suspects(this.#memory, this.#used, this.#ends)) {
      const begin = this.#ends[line - 1] ?? 0;
      const end = this.#ends[line]!;
      const clean = cleaned(bytes.toString('utf8', begin, end), redaction, (error) => lose(line, error));
      if (clean === undefined) continue;
      parts.push(bytes.subarray(from, begin), Buffer.from(clean));
      from = end;
    }
    const rest = bytes.subarray(from, this.#used);
    return from === 0 ? rest : Buffer.concat([...parts, rest]);
  }

  clear(): void {
    // Who sends long records sends more of them.
    if (this.#memory.bytes.length <= MAX_KEPT) this.#own = this.#memory;
    this.#memory = this.#own;
    this.#used = 0;
    this.#ends = [];
  }

  #fits(size: number): boolean {
    if (this.#used + size <= this.#memory.bytes.length) return true;
    if (this.#used > 0) return false;
    this.#memory = searchable(size);
    return true;
  }
}

/** A record as JSON without its texts and without its end. To copy what is left of it would cost as much as to write it. */
function headOf(record: LogRecord): string {
  const { request, response } = record;
  record.request = undefined;
  record.response = undefined;
  try {
    return JSON.stringify(record).slice(0, -CLOSING.length + 1);
  } finally {
    record.request = request;
    record.response = response;
  }
}

/** A single record as its line. @throws what {@link LineBlock.add} throws, or redaction */
export function lineOf(record: LogRecord, redaction: Redaction): Buffer {
  const block = new LineBlock(0);
  block.add(record);
  return block.redacted(redaction, (_, error) => {
    throw error;
  });
}

/** The text without what is to be hidden, or `undefined` when nothing is; empty when that cannot be told. */
function cleaned(text: string, { redact }: Redaction, fail: (error: unknown) => void): string | undefined {
  try {
    const clean = redact(text);
    return clean === text ? undefined : clean;
  } catch (error) {
    fail(error);
    return '';
  }
}
