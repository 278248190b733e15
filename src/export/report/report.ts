/** The report: all figures of one export as plain data, for the manifest, `--stats` and the summary. */
import type { LineProblem } from '../../logs/reader.ts';
import type { ExportOptions, ReadOutcome } from '../job.ts';
import type { Filter, RejectReason } from '../errors.ts';
import type { OutputFile } from '../write/sink.ts';
import type { RecordFacts } from './record-facts.ts';
import type { TokenStats } from './row-stats.ts';
import type { RowStats } from './row-stats.ts';
import type { Places, Counters } from './counters.ts';
import type { TrainingCost } from './training.ts';
import { VERSION } from '../../version.ts';
import { trainingCost } from './training.ts';

export interface Report {
  /** The version of the program. */
  readonly llmproxy: string;
  readonly argv: readonly string[];
  readonly format: string;
  readonly seed: number;
  readonly inputs: readonly { readonly name: string; readonly bytes: number; readonly sha256?: string }[];
  readonly lines: number;
  /** Answers beyond the first in records with several (`n`): each counts like a line. */
  readonly further_answers: number;
  readonly kept: number;
  /** The number of rows whose answer failed, was truncated or filtered. */
  readonly unsuccessful: number;
  /**
   * The number of answers that are trained more than once: they are in several branches, and the format trains all
   * answers.
   */
  readonly repeated_answers: number;
  /** The number of rows that quote answers in a user message, because the format would train them otherwise. */
  readonly quoted_rows: number;
  /** The number of rows that lack a text beside calls, which the format cannot express. */
  readonly omitted_text: number;
  readonly splits: Readonly<Record<string, number>>;
  /** Left out because of an option. */
  readonly filtered: Readonly<Partial<Record<Filter, number>>>;
  /** Dropped because they make no valid example. */
  readonly dropped: Readonly<Partial<Record<RejectReason, Places>>>;
  readonly bad: Readonly<Partial<Record<LineProblem, Places>>>;
  readonly redacted: Readonly<Record<string, number>>;
  readonly feedback: { readonly lines: number; readonly unmatched: number; readonly foreign: number };
  readonly models: Readonly<Record<string, number>>;
  readonly providers: Readonly<Record<string, number>>;
  readonly finish_reasons: Readonly<Record<string, number>>;
  readonly tokens: TokenStats;
  /** Facts about the records that pass the filters; omitted without `--stats`. */
  readonly records?: {
    readonly count: number;
    readonly first: string;
    readonly last: string;
    /** USD, and the number of records with a known cost. */
    readonly cost: number;
    readonly priced: number;
    readonly keys: Readonly<Record<string, number>>;
    readonly tags: Readonly<Record<string, number>>;
    readonly errors: Readonly<Record<string, number>>;
  };
  readonly training: { readonly epochs: number; readonly cost?: TrainingCost };
  readonly outputs: readonly OutputFile[];
}

export interface Counted {
  readonly counters: Counters;
  readonly stats: RowStats;
  readonly outcome: ReadOutcome;
}

export function reportOf(
  { counters, stats, outcome }: Counted,
  { argv, plan, curation, training, sink }: ExportOptions,
  outputs: readonly OutputFile[],
): Report {
  const tokens = stats.tokens();
  const cost = tokens.rows > 0 ? trainingCost(tokens.input + tokens.output, training) : undefined;
  return {
    llmproxy: VERSION,
    argv,
    format: plan.raw ? 'raw' : plan.format,
    seed: curation.seed,
    inputs: outcome.seen.map(({ name, bytes, sha256 }) => ({ name, bytes, ...(sha256 ? { sha256 } : {}) })),
    lines: counters.lines,
    further_answers: counters.furtherAnswers,
    kept: stats.rows,
    unsuccessful: stats.unsuccessful,
    repeated_answers: outcome.repeatedAnswers ?? 0,
    quoted_rows: stats.quoted + (outcome.quotedRows ?? 0),
    omitted_text: stats.omitted,
    splits: byName(new Map(sink.splits.map((name) => [name, stats.splits.get(name) ?? 0]))),
    filtered: byName(counters.filtered),
    dropped: byName(counters.dropped),
    bad: byName(counters.bad),
    redacted: byName(counters.redacted),
    feedback: { lines: counters.feedback, ...(outcome.feedback ?? { unmatched: 0, foreign: 0 }) },
    models: byCount(stats.models),
    providers: byCount(stats.providers),
    finish_reasons: byCount(stats.finishReasons),
    tokens,
    ...(counters.facts ? { records: recordsOf(counters.facts) } : {}),
    training: { epochs: training.epochs, ...(cost ? { cost } : {}) },
    outputs,
  };
}

function recordsOf({ records, keys, tags, errors, ...facts }: RecordFacts): Report['records'] {
  return { count: records, ...facts, keys: byCount(keys), tags: byCount(tags), errors: byCount(errors) };
}

export function reportText(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** The counts sorted by name, so that equal counts give equal text. */
function byName<Value>(counts: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Most frequent first. */
function byCount(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
