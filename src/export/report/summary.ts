/** Texts about a finished export: the summary, statistics and single problems. */
import { safeLine } from './safe-text.ts';
import type { LineProblem } from '../../logs/reader.ts';
import { LINE_PROBLEMS } from '../../logs/reader.ts';
import type { Filter, RejectReason } from '../errors.ts';
import { FILTERS, REJECT_REASONS } from '../errors.ts';
import type { Report } from './report.ts';
import type { ExportSummary } from '../run.ts';
import type { Places, Trouble } from './counters.ts';
import { bytesText, countText, thingsText } from './text.ts';

/**
 * The summary as lines of text: what was read, why rows are missing, where the rows are.
 * @param output the output path, or `-`; `undefined` if nothing was written
 */
export function summaryText(
  { report, files, sameFiles, bytesRead, ended, emptySplit }: ExportSummary,
  output: string | undefined,
): string {
  const { lines, kept, outputs, further_answers: further } = report;
  const out = [
    `Read ${thingsText(lines, 'line')}${further > 0 ? ` with ${thingsText(further, 'further answer')}` : ''} (${bytesText(bytesRead)}) from ${thingsText(files, 'file')}, kept ${countText(kept)}`,
    ...sameFilesText(sameFiles),
    ...reasonsText(report),
  ];
  if (ended === 'max_records') out.push('Stopped at --max-records; the rest was not read');
  if (output === undefined) out.push('Nothing was written');
  else {
    const bytes = outputs.reduce((sum, file) => sum + file.bytes, 0);
    const where = output === '-' ? 'standard output' : output;
    out.push(`Wrote ${thingsText(kept, 'row')} (${bytesText(bytes)}) to ${where}${splitsText(report)}`);
    if (emptySplit !== undefined)
      out.push(
        `No row for ${emptySplit}: rows that begin with the same user message go to one split; --split-by prompt splits by complete prompts`,
      );
  }
  return `${out.join('\n')}\n`;
}

/** The number of names shown. */
const SHOWN_NAMES = 3;

function sameFilesText(files: ExportSummary['sameFiles']): string[] {
  const names = files.flatMap(({ name, otherNames = [] }) =>
    otherNames.map((other) => `${other} is ${name}`),
  );
  if (names.length === 0) return [];
  const more = names.length > SHOWN_NAMES ? ', ...' : '';
  const shown = `${names.slice(0, SHOWN_NAMES).join(', ')}${more}`;
  return [reasonLine('read once', names.length, `are other names of the same files (${shown})`)];
}

function splitsText({ splits }: Report): string {
  const named = Object.entries(splits);
  return named.length < 2 ? '' : `: ${named.map(([name, rows]) => `${countText(rows)} ${name}`).join(', ')}`;
}

/** The statistics of `--stats`: a block of lines for each property in which rows differ. */
export function statsText({
  kept,
  splits,
  models,
  providers,
  finish_reasons,
  tokens,
  training,
  records,
}: Report): string {
  const out = [
    ...recordsText(records),
    `${thingsText(kept, 'row')}`,
    ...counts('split', splits),
    ...counts('model', models),
    ...counts('provider', providers),
    ...counts('finish', finish_reasons),
  ];
  if (tokens.rows > 0) {
    const { min, p5, median, mean, p95, max, input, output } = tokens;
    out.push(
      `Tokens: ${countText(input + output)}, ${countText(output)} of them output, in ${thingsText(tokens.rows, 'row')}`,
    );
    out.push(`  per row: min ${min}, p5 ${p5}, median ${median}, mean ${mean}, p95 ${p95}, max ${max}`);
    if (training.cost)
      out.push(
        `Training for ${thingsText(training.epochs, 'epoch')} at $${training.cost.usd_per_million_tokens} per million tokens: $${training.cost.usd.toFixed(2)}`,
      );
  } else out.push('Tokens: the log does not say; --count-tokens counts them');
  return `${out.join('\n')}\n`;
}

/** The lines about the records that pass the filters. */
function recordsText(records: Report['records']): string[] {
  if (!records) return [];
  const { count, first, last, cost, priced, keys, tags, errors } = records;
  const span = first === '' ? '' : ` from ${secondOf(first)} to ${secondOf(last)}`;
  const known = priced === count ? '' : `, known for ${thingsText(priced, 'record')}`;
  return [
    `${thingsText(count, 'record')}${span}`,
    ...(priced === 0 ? [] : [`Cost: $${cost.toFixed(2)}${known}`]),
    ...counts('key', keys),
    ...counts('tag', tags),
    ...counts('error', errors),
  ];
}

/** A time in the log, to the second. */
function secondOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

/** The number of values listed per property; the others are combined. */
const SHOWN = 12;

function counts(title: string, values: Readonly<Record<string, number>>): string[] {
  const all = Object.entries(values);
  const lines = all.slice(0, SHOWN).map(([value, count]) => countLine(title, count, value));
  const rest = all.slice(SHOWN).reduce((sum, [, count]) => sum + count, 0);
  return rest === 0 ? lines : [...lines, countLine(title, rest, `${all.length - SHOWN} others`)];
}

/** The columns of a value: a line fits into 80. */
const MOST_COLUMNS = 54;

function countLine(title: string, count: number, value: string): string {
  return `  ${title.padEnd(10)} ${countText(count).padStart(11)}  ${safeLine(value, MOST_COLUMNS)}`;
}

function reasonsText({
  unsuccessful,
  repeated_answers: repeated,
  quoted_rows: quoted,
  omitted_text: omitted,
  format,
  filtered,
  dropped,
  bad,
  redacted,
  feedback,
}: Report): string[] {
  const feedbackLines = feedback.lines === 0 ? [] : [feedbackText(feedback)];
  // Whole records are for reading rather than for training.
  const poor = unsuccessful > 0 && format !== 'raw';
  return [
    ...(poor ? [reasonLine('kept', unsuccessful, POOR)] : []),
    ...(repeated > 0 ? [reasonLine('repeated', repeated, REPEATED)] : []),
    ...(quoted > 0 ? [reasonLine('quoting', quoted, QUOTED)] : []),
    ...(omitted > 0 ? [reasonLine('shortened', omitted, OMITTED)] : []),
    ...section('left out', filtered, (reason: Filter) => FILTERS[reason]),
    ...section('dropped', dropped, (reason: RejectReason, places) =>
      placesText(REJECT_REASONS[reason], places),
    ),
    ...section('bad line', bad, (reason: LineProblem, places) => placesText(LINE_PROBLEMS[reason], places)),
    ...Object.entries(redacted).map(([kind, hits]) => reasonLine('redacted', hits, kind)),
    ...feedbackLines,
  ];
}

const REPEATED =
  'are answers that several rows train, as branches of one conversation do (--branches longest, or a format that marks what is trained)';
const QUOTED =
  'are rows that quote earlier answers in a user message: the log does not show them as successful, or the row must not train them (--unlogged-turns)';
const OMITTED = 'are rows without a text beside calls, which the format has no place for';
const POOR = 'are answers that failed, were cut or filtered (--successful-only leaves them out)';

function feedbackText({ lines, unmatched, foreign }: Report['feedback']): string {
  const odd = [
    unmatched > 0 ? `${countText(unmatched)} for records that are not in the log, or made no row` : '',
    foreign > 0 ? `${countText(foreign)} from a different key than the request` : '',
  ].filter(Boolean);
  return reasonLine('feedback', lines, odd.length > 0 ? odd.join(', ') : 'joined to its records');
}

/** A line of --verbose. */
export function troubleText({ place, kind, reason }: Trouble): string {
  const why =
    reason in REJECT_REASONS ? REJECT_REASONS[reason as RejectReason] : LINE_PROBLEMS[reason as LineProblem];
  return `${place}: ${kind === 'bad' ? 'bad line' : 'dropped'}, ${reason}: ${why}\n`;
}

/** Most frequent first. */
function section<Reason extends string, Count extends number | Places>(
  title: string,
  all: Readonly<Partial<Record<Reason, Count>>>,
  explain: (reason: Reason, count: Count) => string,
): string[] {
  const entries = Object.entries(all) as [Reason, Count][];
  return entries
    .sort(([, a], [, b]) => numberIn(b) - numberIn(a))
    .map(([reason, count]) => reasonLine(title, numberIn(count), `${reason}: ${explain(reason, count)}`));
}

function numberIn(count: number | Places): number {
  return typeof count === 'number' ? count : count.count;
}

function reasonLine(title: string, count: number, text: string): string {
  return `  ${title} ${countText(count).padStart(9)}  ${text}`;
}

function placesText(why: string, { count, places }: Places): string {
  const more = count > places.length ? ', ...' : '';
  return `${why} (${places.join(', ')}${more})`;
}
