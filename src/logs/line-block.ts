/** Builds log lines as bytes in memory that is reused. */
import type { Searchable } from './finder.ts';
import { searchable } from './finder.ts';
import type { LogRecord } from './record.ts';
import { oneLine } from './record.ts';
import type { Redaction } from './redaction.ts';

/** The most bytes that one character of a string takes in UTF-8. */
const MAX_CHAR_BYTES = 3;
/** The most memory that is kept for further lines, bytes. */
const MAX_KEPT = 8 * 1024 * 1024;
const CLOSING = '}\n';
const REQUEST = ',"request":';
const RESPONSE = ',"response":';

/**
 * Turns records into lines. Allocating memory for each batch would cost page faults, and joining strings would copy
 * them again.
 */
export class LineBlock {
  #own: Searchable;
  /** The buffer that is reused, unless a record does not fit into it. */
  #memory: Searchable;
  #used = 0;
  /** The end of each line. */
  #ends: number[] = [];

  /** @param size initial size of the memory, bytes; it grows with the records */
  constructor(size: number) {
    this.#own = searchable(size);
    this.#memory = this.#own;
  }

  get bytes(): number {
    return this.#used;
  }

  /**
   * Adds the line of a record: its head, then `request` and `response` verbatim, without parsing them.
   * @returns false when the block is too full; a single record always fits
   * @throws SyntaxError when a text contains line breaks and is not valid JSON; nothing is added then
   */
  add(record: LogRecord): boolean {
    const { request, response } = record;
    const head = headOf(record);
    const requestText = request === undefined ? '' : oneLine(request);
    const answered = response === undefined ? '' : oneLine(response);
    const chars = head.length + requestText.length + answered.length;
    if (!this.#fits(chars * MAX_CHAR_BYTES + REQUEST.length + RESPONSE.length + CLOSING.length)) return false;
    // The parts are written separately: joining them would copy the large ones once more.
    const { bytes } = this.#memory;
    let at = this.#used;
    at += bytes.write(request === undefined ? head : head + REQUEST, at);
    if (request !== undefined) at += bytes.write(requestText, at);
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
   * All lines after redaction. They are valid until the next call of `clear`.
   * @param lose called with the index, from 0, of each line that is left out because its redaction failed
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
    // A client that sends long records usually sends more of them.
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

/**
 * A record as JSON without its texts and its closing brace. Copying the other fields would cost as much as writing
 * them.
 */
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

/** The line of a single record. @throws what {@link LineBlock.add} or the redaction throws */
export function lineOf(record: LogRecord, redaction: Redaction): Buffer {
  const block = new LineBlock(0);
  block.add(record);
  return block.redacted(redaction, (_, error) => {
    throw error;
  });
}

/** The redacted text, or `undefined` when there is nothing to redact; empty when that cannot be determined. */
function cleaned(text: string, { redact }: Redaction, fail: (error: unknown) => void): string | undefined {
  try {
    const clean = redact(text);
    return clean === text ? undefined : clean;
  } catch (error) {
    fail(error);
    return '';
  }
}
