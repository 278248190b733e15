/** Records with their positions, so that the complete record can be read later. */
import type { JsonObject } from '../../wire/json.ts';
import type { RecordWithoutTail } from '../head-record.ts';
import type { LogInput } from '../input.ts';
import { withoutTail } from '../head-record.ts';
import { LINE_START } from '../head.ts';
import { numberOf } from '../../wire/json.ts';
import { parseLine } from '../reader.ts';

/** An upper bound for the part of a line before its request, bytes. */
export const MOST_HEAD_BYTES = 1024 ** 2;

/** The record without its request and its answer. */
export interface FoundRecord {
  readonly head: RecordWithoutTail;
  readonly input: LogInput;
  /** The offset of its line in the decompressed file. */
  readonly at: number;
  /** The offset of the end of its line, without the line end. */
  readonly end: number;
}

/**
 * A filter on records in two steps: first on the bytes of their heads, many thousands per millisecond, then on the
 * parsed record.
 */
export interface RecordTest {
  /**
   * Whether any line of the block may match. Lines are passed in the order of the file; data past `to` may be
   * truncated.
   */
  readonly over?: (block: Buffer) => (from: number, to: number) => boolean;
  /**
   * Whether a record matches.
   * @param whole reads the complete record, for filters on request and answer; `undefined` if the line is damaged
   */
  readonly wants?: (head: RecordWithoutTail, whole: () => JsonObject | undefined) => boolean;
}

/** When the answer of a record ended, epoch milliseconds: files are approximately in this order. */
export function endOf(head: RecordWithoutTail): number {
  return Date.parse(head.ts) + (numberOf(head.latency_ms) ?? 0);
}

/** A line may hold a record after a torn one left by a process that died: the last one counts. */
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
