/** Finds the matching records of one file, the last one first. */
import type { JsonObject } from '../../wire/json.ts';
import type { LogInput } from '../input.ts';
import type { RecordWithoutTail } from '../head-record.ts';
import type { BlockOfLines, LineInBlock } from './lines.ts';
import type { FoundRecord, RecordTest } from './found.ts';
import type { PlainFile, ReadingOptions } from './opened.ts';
import { readChunks } from '../chunks.ts';
import { endOf, headOf, MOST_HEAD_BYTES, recordOf } from './found.ts';
import { blocksBackwards, part } from './lines.ts';
import { damageOf, fromOpened } from './opened.ts';

const NEWLINE = 10;

export interface BackwardsOptions extends ReadingOptions {
  readonly test: RecordTest;
  /** The most records to return: this many are kept while a compressed file is read from its start. */
  readonly most: number;
  /** Skips answers that ended before this time, epoch milliseconds. */
  readonly sinceMs?: number | undefined;
  /** Skips answers that ended after this time, epoch milliseconds: continues from the oldest record found before. */
  readonly untilMs?: number | undefined;
}

/**
 * A file holds records in the order in which their answers end, except that large ones take a little longer to write.
 */
export const SLACK_MS = 60_000;

/**
 * The matching records of a file.
 * @returns whether earlier records certainly ended before `sinceMs`, so that older files can be skipped
 * @throws the signal's reason when it aborts
 */
export async function* recordsBackwards(
  input: LogInput,
  options: BackwardsOptions,
): AsyncGenerator<FoundRecord, boolean> {
  const over = yield* fromOpened(input, options, {
    plain: (file) => plainBackwards(file, options),
    packed: () => packedBackwards(input, options),
  });
  return over ?? false;
}

function* plainBackwards(file: PlainFile, options: BackwardsOptions): Generator<FoundRecord, boolean> {
  const { fd, size, input } = file;
  const { sinceMs = -Infinity, untilMs = Infinity, test, signal } = options;
  const wants = wantedOf(options);
  for (const block of blocksBackwards(fd, size)) {
    signal?.throwIfAborted();
    if (sinceMs > -Infinity && endIn(fd, block, block.lines.at(-1)!) < sinceMs - SLACK_MS) return true;
    if (untilMs < Infinity && endIn(fd, block, block.lines[0]!) > untilMs + SLACK_MS) continue;
    for (const line of possible(block, test).toReversed()) {
      const head = headIn(fd, block.bytes, line);
      const { at, end } = line;
      if (head && wants(head, () => recordOf(part(fd, at, end)))) yield { head, input, at, end };
    }
  }
  return false;
}

/** When the answer of a line ended; NaN, which compares as neither before nor after, if the line does not tell. */
function endIn(fd: number, { bytes }: BlockOfLines, line: LineInBlock): number {
  const head = headIn(fd, bytes, line);
  return head ? endOf(head) : NaN;
}

/** The time span and the filter. */
function wantedOf({ sinceMs = -Infinity, untilMs = Infinity, test }: BackwardsOptions) {
  const { wants } = test;
  const always = sinceMs === -Infinity && untilMs === Infinity;
  return (head: RecordWithoutTail, whole: () => JsonObject | undefined): boolean => {
    const ms = always ? 0 : endOf(head);
    return (always || (ms >= sinceMs && ms <= untilMs)) && (wants?.(head, whole) ?? true);
  };
}

/** Lines that may match by their bytes. The last line of a live file may be incomplete. */
function possible({ bytes, lines }: BlockOfLines, { over }: RecordTest): LineInBlock[] {
  const whole = lines.filter(({ terminated }) => terminated);
  if (!over) return whole;
  const may = over(bytes);
  return whole.filter(({ from, to }) => may(from, to));
}

function headIn(
  fd: number,
  bytes: Buffer,
  { from, to, at, end }: LineInBlock,
): RecordWithoutTail | undefined {
  const head = headOf(bytes.subarray(from, to));
  if (head || to - from === end - at) return head;
  // The head is longer than the part that was read.
  return headOf(part(fd, at, Math.min(end, at + MOST_HEAD_BYTES)));
}

/** Reads the file from its start and keeps the last matches. */
async function* packedBackwards(
  input: LogInput,
  options: BackwardsOptions,
): AsyncGenerator<FoundRecord, boolean> {
  const { most, signal, onProblem } = options;
  const test = { ...options.test, wants: wantedOf(options) };
  const kept: FoundRecord[] = [];
  for await (const { bytes, offset, damaged, tooLong } of readChunks(input, signal ? { signal } : {})) {
    if (damaged) onProblem?.(damageOf(input));
    if (damaged || tooLong) continue;
    const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const record of recordsIn(block, { input, offset, test })) kept.push(record);
    if (kept.length > 2 * most) kept.splice(0, kept.length - most);
  }
  yield* kept.slice(-most).toReversed();
  return false;
}

function* recordsIn(
  block: Buffer,
  { input, offset, test }: { input: LogInput; offset: number; test: RecordTest },
): Generator<FoundRecord> {
  const may = test.over?.(block);
  for (let from = 0; from < block.length;) {
    const newline = block.indexOf(NEWLINE, from);
    const to = newline < 0 ? block.length : newline;
    if (to > from && (may?.(from, to) ?? true)) {
      const line = block.subarray(from, to);
      const head = headOf(line);
      if (head && (test.wants?.(head, () => recordOf(line)) ?? true))
        yield { head, input, at: offset + from, end: offset + to };
    }
    from = to + 1;
  }
}
