/** Records as they are found, with where they lie, so that the whole of one can be read later. */
import type { JsonObject } from '../../wire/json.ts';
import type { RecordWithoutTail } from '../head-record.ts';
import type { LogInput } from '../input.ts';
import { withoutTail } from '../head-record.ts';
import { LINE_START } from '../head.ts';
import { numberOf } from '../../wire/json.ts';
import { parseLine } from '../reader.ts';

/** What stands before the request of a line is shorter, bytes. */
export const MOST_HEAD_BYTES = 1024 ** 2;

/** A record without its request and its answer. */
export interface FoundRecord {
  readonly head: RecordWithoutTail;
  readonly input: LogInput;
  /** Where its line begins, in the decompressed file. */
  readonly at: number;
  /** Behind its line, the line end left out. */
  readonly end: number;
}

/**
 * What is wanted of records, in two steps: by the bytes of their heads, many thousand in a millisecond, then by what is parsed of
 * them.
 */
export interface RecordTest {
  /**
   * Whether the lines of a block may be wanted. Lines are asked about in the order of the file; what is behind `to` may be cut
   * off.
   */
  readonly over?: (block: Buffer) => (from: number, to: number) => boolean;
  /**
   * Whether a record is wanted.
   * @param whole reads all of it; for what request and answer must tell. `undefined` where the line is broken
   */
  readonly wants?: (head: RecordWithoutTail, whole: () => JsonObject | undefined) => boolean;
}

/** When the answer of a record ended, epoch milliseconds: files have them in about this order. */
export function endOf(head: RecordWithoutTail): number {
  return Date.parse(head.ts) + (numberOf(head.latency_ms) ?? 0);
}

/** A line may hold a record behind a torn one, which a process left that died: then it is the last that counts. */
export function headOf(line: Buffer): RecordWithoutTail | undefined {
  const head = withoutTail(line);
  if (head) return head;
  const last = line.lastIndexOf(LINE_START);
  return last > 0 ? withoutTail(line.subarray(last)) : undefined;
}

/** The record of a whole line. */
export function recordOf(line: Buffer): JsonObject | undefined {
  return parseLine({ bytes: line, number: 1, terminated: true, tooLong: false }).value;
}
