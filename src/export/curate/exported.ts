/** What an earlier export has had: all that the lines give which it had read. */
import type { Candidates } from './table/row-table.ts';
import type { Choosing } from './options.ts';
import type { PlacedFeedback } from './judgements.ts';
import { HashMap64 } from './table/hash-map.ts';
import { Choice } from './row-set.ts';
import { Judgements } from './judgements.ts';

/** The rows that an earlier export could choose from, by what was said of them until then. */
export function hadBefore(candidates: Candidates, feedback: readonly PlacedFeedback[]): Choice {
  const said = feedback.filter((one) => candidates.had(one));
  const had = (row: number) => candidates.had(candidates.place(row));
  const rows = new Choice(candidates, new Judgements(candidates, said), had);
  rows.each((row) => {
    if (!had(row)) rows.leave(row, 'exported_before');
  });
  return rows;
}

/**
 * Leaves out what was chosen before too. An answer that was read before, but judged or gone on from later, may well make
 * a row that is new.
 * @param before decided on as `choice` was
 */
export function leaveExported(choice: Choice, before: Choice, options: Choosing): void {
  const exported = choice.tasks ? sameTask(choice, before) : sameRow(choice, before, options);
  choice.each((one) => {
    if (exported(one)) choice.leave(one, 'exported_before');
  });
}

function sameTask(choice: Choice, before: Choice): (one: number) => boolean {
  const known = new HashMap64();
  before.each((one) => known.set(before.hi('content', one), before.lo('content', one), 1));
  return (one) => known.has(choice.hi('content', one), choice.lo('content', one));
}

function sameRow(choice: Choice, before: Choice, { corrections }: Choosing): (row: number) => boolean {
  const correction = ({ judgements }: Choice, row: number) =>
    corrections ? judgements.of(row)?.correction : undefined;
  return (row) => before.has(row) && Bun.deepEquals(correction(choice, row), correction(before, row));
}
