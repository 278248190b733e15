/** One export: logs in, rows out, and a report. */
import { existsSync, realpathSync } from 'node:fs';
import type { CurationOptions } from './curate/options.ts';
import type { LogInput } from '../logs/input.ts';
import type { ExportHooks, ExportOptions, Job, ReadOutcome } from './job.ts';
import type { Report } from './report/report.ts';
import type { OutputFile, Sink } from './write/sink.ts';
import { findInputs } from '../logs/input.ts';
import { sideBySide } from '../logs/side-by-side.ts';
import { curateRows } from './curate/curate-rows.ts';
import { startConverters } from './convert/start.ts';
import { ExportError } from './errors.ts';
import { OutputClosed } from './write/sink.ts';
import { sidecarsOf } from './write/sidecars.ts';
import { reportOf } from './report/report.ts';
import { openSink } from './write/open.ts';
import { RowStats } from './report/row-stats.ts';
import { canStream, streamRows } from './write/stream-rows.ts';
import { Counters } from './report/counters.ts';

export interface ExportSummary {
  readonly report: Report;
  /** The number of files read. */
  readonly files: number;
  /** Files that were found by several names, and read once. */
  readonly sameFiles: readonly Pick<LogInput, 'name' | 'otherNames'>[];
  /** The number of bytes read from disk. */
  readonly bytesRead: number;
  /** Whether reading ended early: enough rows, or the reader of the output has left. */
  readonly ended?: 'max_records' | 'closed';
  /** A split without rows, although chance alone would have given it some. */
  readonly emptySplit?: string;
}

/**
 * Exports logs to rows of JSON, one per line, or to Parquet.
 * @throws ExportError, InputError with a message for the user; the signal's reason when it aborts
 */
export async function runExport(options: ExportOptions, hooks: ExportHooks = {}): Promise<ExportSummary> {
  const sink = options.dryRun ? undefined : await openSink(options.sink);
  try {
    const inputs = await findInputs(options.inputs, options.sink.path);
    refuseOverlap(inputs, options.sink.path);
    return await exportInputs(inputs, sink, options, hooks);
  } catch (error) {
    sink?.discard();
    throw error;
  }
}

async function exportInputs(
  inputs: readonly LogInput[],
  sink: Sink | undefined,
  options: ExportOptions,
  hooks: ExportHooks,
): Promise<ExportSummary> {
  const count = new RunProgress(inputs, hooks);
  const converters = await startConverters(options.plan, {
    threads: options.threads,
    totalBytes: count.total,
    bytesRead: () => count.bytesRead,
  });
  const { counters, stats } = count;
  const write: Job['write'] = async (split, lines, rows) => {
    counters.rows += rows;
    hooks.onRows?.(lines);
    await sink?.write(options.sink.splits[split]!, lines, rows);
  };
  const { onBytes, progress } = count;
  // Rows that stay where they are stored are not written again, and would not be shown.
  const provisional = hooks.onRows ? undefined : sink?.provisional;
  const job: Job = {
    options,
    hooks,
    inputs,
    converters,
    counters,
    stats,
    onBytes,
    progress,
    write,
    provisional,
  };
  let outcome: ReadOutcome = { seen: [] };
  const summary = (report: Report, ended: ExportSummary['ended']): ExportSummary => ({
    report,
    files: counters.files,
    sameFiles: inputs.filter(({ otherNames }) => otherNames),
    bytesRead: count.bytesRead,
    ...(ended ? { ended } : {}),
    ...emptySplitOf(report, options.curation),
  });
  try {
    const streaming = {
      raw: options.plan.raw,
      sideBySide: sideBySide(inputs) !== undefined,
    };
    outcome = canStream(options.curation, streaming) ? await streamRows(job) : await curateRows(job);
    let report = reportOf({ counters, stats, outcome }, options, []);
    if (options.failEmpty && report.kept === 0) {
      sink?.discard();
      return summary(report, outcome.ended);
    }
    const sidecars = (files: readonly OutputFile[]) => {
      report = reportOf({ counters, stats, outcome }, options, files);
      return sidecarsOf(report, options);
    };
    await sink?.finish(sidecars);
    return summary(report, outcome.ended);
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
    sink?.discard();
    return summary(reportOf({ counters, stats, outcome }, options, []), 'closed');
  } finally {
    converters.close();
  }
}

/**
 * Rows of a program that shows the same examples before each question have the same beginning, and all go to one split.
 */
export function emptySplitOf(report: Report, { splits }: CurationOptions): Pick<ExportSummary, 'emptySplit'> {
  const empty = splits.find(
    ({ name, share }) => report.splits[name] === 0 && share * report.kept >= SURELY_SOME,
  );
  return empty ? { emptySplit: empty.name } : {};
}

/** A split with this many expected rows and none is empty for a reason, not by chance. */
const SURELY_SOME = 10;

/** Counts bytes, lines and rows while an export runs, and reports progress. */
class RunProgress {
  readonly counters: Counters;
  readonly stats = new RowStats();
  readonly #hooks: ExportHooks;
  /** The total size of the inputs on disk, bytes; `undefined` if one of them is a pipe. */
  readonly total: number | undefined;
  bytesRead = 0;

  constructor(inputs: readonly LogInput[], hooks: ExportHooks) {
    this.counters = new Counters(hooks.onTrouble);
    this.#hooks = hooks;
    this.total = totalBytes(inputs);
  }

  readonly onBytes = (bytes: number): void => {
    this.bytesRead += bytes;
  };

  readonly progress = (rows: number): void => {
    const dropped = this.counters.lines - rows;
    this.#hooks.onProgress?.({ bytes: this.bytesRead, total: this.total, rows, dropped });
  };
}

function totalBytes(inputs: readonly LogInput[]): number | undefined {
  return inputs.every((input) => input.bytes !== undefined)
    ? inputs.reduce((sum, input) => sum + input.bytes!, 0)
    : undefined;
}

/** A file that is read and replaced at once would end as neither log nor dataset. */
function refuseOverlap(inputs: readonly LogInput[], output: string): void {
  if (output === '-') return;
  const same = inputs.find((input) => input.path !== '-' && realPath(input.path) === realPath(output));
  if (same) throw new ExportError('usage', `Cannot write ${output}: it is also the input`);
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}
