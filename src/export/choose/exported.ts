import type { Choosing } from './choosing.ts';
import type { PlacedFeedback } from './judgements.ts';
import { HashMap64 } from '../hash-map.ts';
import { Choice } from './choice.ts';
import { judged } from './judged.ts';
import { Judgements } from './judgements.ts';

/**
 * Leaves out what an earlier export has had: all that the lines give which it had read. An answer that was read before,
 * but judged or gone on from later, may well make a row that is new.
 */
export function leaveExported(choice: Choice, feedback: readonly PlacedFeedback[], options: Choosing): void {
  const { candidates } = choice;
  const then = new Choice(
    candidates,
    new Judgements(
      candidates,
      feedback.filter((said) => candidates.had(said)),
    ),
  );
  then.each((row) => {
    if (!candidates.had(candidates.place(row))) then.leave(row, 'exported_before');
  });
  const before = judged(then, options);
  const exported = choice.tasks ? sameTask(choice, before) : sameRow(choice, before, options);
  choice.each((one) => {
    if (exported(one)) choice.leave(one, 'exported_before');
  });
}

function sameTask(choice: Choice, before: Choice): (one: number) => boolean {
  const known = new HashMap64();
  before.each((one) => known.set(before.hi('content', one), before.lo('content', one), one));
  return (one) => known.has(choice.hi('content', one), choice.lo('content', one));
}

function sameRow(choice: Choice, before: Choice, { corrections }: Choosing): (row: number) => boolean {
  const correction = ({ judgements }: Choice, row: number) =>
    corrections ? judgements.of(row)?.correction : undefined;
  return (row) => before.has(row) && Bun.deepEquals(correction(choice, row), correction(before, row));
}
