/** What an earlier export has had: all that the lines give which it had read. */
import type { RowTable } from './table/row-table.ts';
import type { CurationOptions } from './options.ts';
import type { PlacedFeedback } from './judgements.ts';
import { HashMap64 } from './table/hash-map.ts';
import { RowSet } from './row-set.ts';
import { Judgements } from './judgements.ts';

/** The rows that an earlier export could choose from, by what was said of them until then. */
export function hadBefore(table: RowTable, feedback: readonly PlacedFeedback[]): RowSet {
  const said = feedback.filter((one) => table.had(one));
  const had = (row: number) => table.had(table.place(row));
  const rows = new RowSet(table, new Judgements(table, said), had);
  rows.each((row) => {
    if (!had(row)) rows.drop(row, 'exported_before');
  });
  return rows;
}

/**
 * Leaves out what was chosen before too. An answer that was read before, but judged or gone on from later, may well make
 * a row that is new.
 * @param before the earlier set, decided on as `set` was
 */
export function dropExported(set: RowSet, before: RowSet, options: CurationOptions): void {
  const exported = set.tasks ? sameTask(set, before) : sameRow(set, before, options);
  set.each((one) => {
    if (exported(one)) set.drop(one, 'exported_before');
  });
}

function sameTask(set: RowSet, before: RowSet): (one: number) => boolean {
  const known = new HashMap64();
  before.each((one) => known.set(before.hi('content', one), before.lo('content', one), 1));
  return (one) => known.has(set.hi('content', one), set.lo('content', one));
}

function sameRow(set: RowSet, before: RowSet, { corrections }: CurationOptions): (row: number) => boolean {
  const correction = ({ judgements }: RowSet, row: number) =>
    corrections ? judgements.of(row)?.correction : undefined;
  return (row) => before.has(row) && Bun.deepEquals(correction(set, row), correction(before, row));
}
