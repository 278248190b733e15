/** Orders a log that several workers wrote in parallel by the time at which its lines were written. */
import type { SideBySide } from '../../logs/side-by-side.ts';
import type { RowTable } from './table/row-table.ts';
import type { PlacedFeedback } from './judgements.ts';
import { doubles, words } from './table/column.ts';

/**
 * Puts rows and feedback in the order in which they were written, day by day. The lines of one worker keep their order.
 * @param precedingMs the latest time of earlier lines by a row's worker that may be in another table; 0 for none
 */
export function arrange(
  table: RowTable,
  feedback: PlacedFeedback[],
  log: SideBySide,
  precedingMs: (row: number, hand: number) => number = () => 0,
): void {
  const { length } = table;
  const groups = words(length);
  const times = doubles(length);
  /** When the last line of each worker was written. */
  const lasts = new Map<number, number>();
  for (let row = 0; row < length; row++) {
    const { file } = table.place(row);
    const hand = log.hands[file]!;
    const time = Math.max(lasts.get(hand) ?? 0, precedingMs(row, hand), table.writtenMs(row));
    lasts.set(hand, time);
    groups[row] = log.groups[file]!;
    times[row] = time;
  }
  const order = words(length).map((_, row) => row);
  order.sort((a, b) => groups[a]! - groups[b]! || times[a]! - times[b]! || a - b);
  table.arrange(order);
  feedback.sort((a, b) => log.groups[a.file]! - log.groups[b.file]! || a.writtenMs - b.writtenMs);
}
