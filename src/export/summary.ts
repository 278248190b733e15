/** What an export says when it is done. */
import type { LineProblem } from '../logs/reader.ts';
import { LINE_PROBLEMS } from '../logs/reader.ts';
import type { Filter, Flaw } from './reasons.ts';
import { FILTERS, FLAWS } from './reasons.ts';
import type { ExportSummary } from './run.ts';
import type { BadLines, Trouble } from './tally.ts';
import { bytesText, countText, thingsText } from './text.ts';

/**
 * The summary as lines of text: what was read, why rows are missing, where the rows are.
 * @param output the path written to, or `-`
 */
export function summaryText(
  { tally, bytesRead, bytesWritten, ended }: ExportSummary,
  output: string,
): string {
  const { files, lines, rows, filtered, dropped, bad } = tally;
  const out = [
    `Read ${thingsText(lines, 'line')} (${bytesText(bytesRead)}) from ${thingsText(files, 'file')}, kept ${countText(rows)}`,
  ];
  const counts = [
    ...section('left out', filtered, (reason: Filter) => FILTERS[reason]),
    ...section('dropped', dropped, (reason: Flaw) => FLAWS[reason]),
    ...section(
      'bad line',
      new Map([...bad].map(([reason, { count }]) => [reason, count])),
      (reason: LineProblem) => placesText(reason, bad.get(reason)!),
    ),
  ];
  out.push(...counts);
  if (ended === 'max_records') out.push('Stopped at --max-records; what follows was not read');
  const where = output === '-' ? 'standard output' : output;
  out.push(`Wrote ${thingsText(rows, 'row')} (${bytesText(bytesWritten)}) to ${where}`);
  return `${out.join('\n')}\n`;
}

/** A line of --verbose. */
export function troubleText({ place, kind, reason }: Trouble): string {
  const why = reason in FLAWS ? FLAWS[reason as Flaw] : LINE_PROBLEMS[reason as LineProblem];
  return `${place}: ${kind === 'bad' ? 'bad line' : 'dropped'}, ${reason}: ${why}\n`;
}

/** Most frequent first. */
function section<Reason extends string>(
  title: string,
  counts: ReadonlyMap<Reason, number>,
  explain: (reason: Reason) => string,
): string[] {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `  ${title} ${countText(count).padStart(9)}  ${reason}: ${explain(reason)}`);
}

function placesText(reason: LineProblem, { count, places }: BadLines): string {
  const more = count > places.length ? ', ...' : '';
  return `${LINE_PROBLEMS[reason]} (${places.join(', ')}${more})`;
}
