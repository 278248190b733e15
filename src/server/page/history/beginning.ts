/** Finds where the records of a period begin in a log file, without reading what precedes them. */
import { endOf, headOf } from '../../../logs/newest/found.ts';
import { part } from '../../../logs/newest/lines.ts';

const NEWLINE = 10;

/**
 * Records are in the order in which their answers ended, except that large ones are written slightly later:
 * milliseconds.
 */
const SLACK_MS = 60_000;

/** Smaller ranges are read rather than halved, bytes. */
const SMALL_BYTES = 4 * 1024 ** 2;

/** The size of a read that finds a line and enough of it to parse its head, bytes. */
const STEP_BYTES = 64 * 1024;

/**
 * A position before which no record arrived at or after a moment.
 * @param wholeBytes of the file, up to the end of its last whole line
 * @param fromMs milliseconds since 1970
 * @returns where a line begins, or 0
 */
export function beginningOf(fd: number, wholeBytes: number, fromMs: number): number {
  let from = 0;
  for (let to = wholeBytes; to - from > SMALL_BYTES;) {
    const middle = Math.floor((from + to) / 2);
    const at = lineBehind(fd, middle, to);
    const head = at === undefined ? undefined : headOf(part(fd, at, Math.min(wholeBytes, at + STEP_BYTES)));
    // A request that arrived later also ended later.
    if (at !== undefined && head && endOf(head) < fromMs - SLACK_MS) from = at;
    else to = middle;
  }
  return from;
}

/** The beginning of the next line; `undefined` if there is none before the end. */
function lineBehind(fd: number, place: number, end: number): number | undefined {
  for (let at = place; at < end; at += STEP_BYTES) {
    const newline = part(fd, at, Math.min(end, at + STEP_BYTES)).indexOf(NEWLINE);
    if (newline >= 0 && at + newline + 1 < end) return at + newline + 1;
  }
  return undefined;
}
