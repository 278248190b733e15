/** Where in a file of the log the records of a time begin, found without reading what lies before. */
import { endOf, headOf } from '../../../logs/newest/found.ts';
import { part } from '../../../logs/newest/lines.ts';

const NEWLINE = 10;

/** Records stand in the order in which their answers ended, but for large ones, which take a little longer: milliseconds. */
const SLACK_MS = 60_000;

/** A part that is read sooner than it is halved, bytes. */
const SMALL_BYTES = 4 * 1024 ** 2;

/** What is read at once to find a line, and enough of a line to read its head, bytes. */
const STEP_BYTES = 64 * 1024;

/**
 * A place before which no record came at or after a moment.
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
    // Whoever is asked to answer ended not before it began.
    if (at !== undefined && head && endOf(head) < fromMs - SLACK_MS) from = at;
    else to = middle;
  }
  return from;
}

/** Where the next line begins; `undefined` where none does before the end. */
function lineBehind(fd: number, place: number, end: number): number | undefined {
  for (let at = place; at < end; at += STEP_BYTES) {
    const newline = part(fd, at, Math.min(end, at + STEP_BYTES)).indexOf(NEWLINE);
    if (newline >= 0 && at + newline + 1 < end) return at + newline + 1;
  }
  return undefined;
}
