/** Finds one record by its id, together with its feedback. */
import type { JsonObject } from '../../wire/json.ts';
import type { LogInput } from '../input.ts';
import type { FoundRecord } from './found.ts';
import { isObject } from '../../wire/json.ts';
import { readChunks } from '../chunks.ts';
import { utcDay } from '../names.ts';
import { chainsOf, dayOf } from './chains.ts';
import { headOf, MOST_HEAD_BYTES, recordOf } from './found.ts';
import { fill, part } from './lines.ts';
import type { PlainFile, ReadingOptions } from './opened.ts';
import { damageOf, fromOpened } from './opened.ts';

const NEWLINE = 10;
const BLOCK_BYTES = 4 * 1024 ** 2;
/** The size of one read while searching for the beginning or the end of a line. */
const STEP_BYTES = 64 * 1024;

export interface WholeRecord extends FoundRecord {
  /** The line as it is in the log, without its line end. */
  readonly line: Buffer;
  /** The parsed line. */
  readonly record: JsonObject;
}

export interface RecordWithFeedback extends WholeRecord {
  /** The feedback on it, newest first. */
  readonly feedback: readonly JsonObject[];
}

/** The fewest characters at the end of an id that identify it. */
const LEAST_END = 6;

/**
 * The record of a request, by its id or by the end of it, at least six characters. If several match, the newest one.
 * Files from days before the time encoded in an id of this proxy are searched last. Reads synchronously where possible:
 * meant for commands that do nothing else, and for threads.
 * @param inputs oldest first, as returned by `findInputs`
 * @returns `undefined` if there is none
 * @throws the signal's reason when it aborts
 */
export async function recordById(
  inputs: readonly LogInput[],
  id: string,
  options: ReadingOptions = {},
): Promise<RecordWithFeedback | undefined> {
  const isMeant = (known: unknown) =>
    typeof known === 'string' && (known === id || (id.length >= LEAST_END && known.endsWith(id)));
  const ratings: JsonObject[] = [];
  for (const input of inSearchOrder(inputs, id)) {
    for await (const each of recordsNaming(input, id, options)) {
      const { head } = each;
      const whole = isMeant(head.id) ? wholeOf(each) : undefined;
      if (whole) return { ...whole, feedback: ratings.filter((other) => subjectOf(other) === head.id) };
      if (isMeant(subjectOf(head))) ratings.push(head);
    }
  }
  return undefined;
}

/** The id of the request that a feedback record refers to. */
function subjectOf({ feedback }: JsonObject): unknown {
  return isObject(feedback) ? feedback.request_id : undefined;
}

/** The complete record. @returns `undefined` if its file is gone */
export async function wholeRecord(
  { head, input, at }: FoundRecord,
  options: ReadingOptions = {},
): Promise<WholeRecord | undefined> {
  for await (const each of recordsNaming(input, head.id, options)) if (each.at === at) return wholeOf(each);
  return undefined;
}

/** A record, and a function that reads all of it while its file is open. */
interface Named extends FoundRecord {
  readonly read: () => Buffer;
}

function wholeOf({ head, input, at, end, read }: Named): WholeRecord | undefined {
  const line = read();
  const record = recordOf(line);
  return record && { head, input, at, end, line, record };
}

/**
 * From the newest file back to the day on which the request arrived; then the earlier ones, in case a clock was wrong.
 */
function inSearchOrder(inputs: readonly LogInput[], id: string): LogInput[] {
  const newestFirst = chainsOf(inputs)
    .flat()
    .toSorted((a, b) =>
      (dayOf(a) ?? '') < (dayOf(b) ?? '') ? 1 : (dayOf(a) ?? '') > (dayOf(b) ?? '') ? -1 : 0,
    );
  const day = dayIn(id) ?? '';
  const before = newestFirst.filter((input) => (dayOf(input) ?? day) < day);
  return [...newestFirst.filter((input) => !before.includes(input)), ...before];
}

/** The day encoded in an id of this proxy: a UUIDv7 begins with its time. @see RFC 9562 section 5.7 */
function dayIn(id: string): string | undefined {
  const hex = /^req_([0-9a-f]{12})7[0-9a-f]{19}$/.exec(id)?.[1];
  return hex === undefined ? undefined : utcDay(Number.parseInt(hex, 16));
}

/** The records of a file whose lines contain a string that ends with the id, last one first. */
async function* recordsNaming(input: LogInput, id: string, options: ReadingOptions): AsyncGenerator<Named> {
  // The end of an id is followed by its quote; a short one is an id by itself.
  const quoted = JSON.stringify(id);
  const needle = Buffer.from(id.length < LEAST_END ? quoted : quoted.slice(1));
  yield* fromOpened(input, options, {
    plain: (file) => inPlain(file, needle, options),
    packed: () => inPacked(input, needle, options),
  });
}

function* inPlain(file: PlainFile, needle: Buffer, { signal }: ReadingOptions): Generator<Named> {
  const { fd, size, input } = file;
  const memory = Buffer.allocUnsafe(BLOCK_BYTES + needle.length);
  let last = size;
  for (let to = size; to > 0;) {
    signal?.throwIfAborted();
    const from = Math.max(0, to - BLOCK_BYTES);
    const wanted = Math.min(size, to + needle.length - 1) - from;
    const block = memory.subarray(0, fill(fd, memory, from, wanted));
    for (const place of placesOf(block, needle).toReversed()) {
      // A line that contains it twice is reported once.
      if (from + place >= last) continue;
      const at = lineStart(fd, from + place);
      last = at;
      const end = lineEnd(fd, from + place, size);
      // The last line of a live file may be incomplete.
      if (end === undefined) continue;
      const head = headOf(part(fd, at, Math.min(end, at + MOST_HEAD_BYTES)));
      if (head) yield { head, input, at, end, read: () => part(fd, at, end) };
    }
    to = from;
  }
}

function placesOf(block: Buffer, needle: Buffer): number[] {
  const places: number[] = [];
  for (let at = block.indexOf(needle); at >= 0; at = block.indexOf(needle, at + 1)) places.push(at);
  return places;
}

function lineStart(fd: number, within: number): number {
  for (let to = within; to > 0;) {
    const from = Math.max(0, to - STEP_BYTES);
    const newline = part(fd, from, to).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    to = from;
  }
  return 0;
}

/** `undefined` if no newline follows. */
function lineEnd(fd: number, within: number, size: number): number | undefined {
  for (let from = within; from < size; from += STEP_BYTES) {
    const newline = part(fd, from, Math.min(size, from + STEP_BYTES)).indexOf(NEWLINE);
    if (newline >= 0) return from + newline;
  }
  return undefined;
}

async function* inPacked(input: LogInput, needle: Buffer, options: ReadingOptions): AsyncGenerator<Named> {
  const { signal, onProblem } = options;
  const found: Named[] = [];
  for await (const chunk of readChunks(input, signal ? { signal } : {})) {
    if (chunk.damaged) onProblem?.(damageOf(input));
    const block = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength);
    let behind = 0;
    for (const place of placesOf(block, needle)) {
      if (place < behind) continue;
      const from = block.lastIndexOf(NEWLINE, place) + 1;
      const newline = block.indexOf(NEWLINE, place);
      behind = newline < 0 ? block.length : newline;
      const line = Buffer.from(block.subarray(from, behind));
      const head = headOf(line);
      const at = chunk.offset + from;
      if (head) found.push({ head, input, at, end: at + line.length, read: () => line });
    }
  }
  yield* found.toReversed();
}
