/** Types that all parts of an export share. */
import type { LogInput } from '../logs/input.ts';
import type { CurationOptions } from './curate/options.ts';
import type { Converters } from './convert/converters.ts';
import type { Plan } from './convert/plan.ts';
import type { InputSeen } from './read/input-watch.ts';
import type { Provisional, SinkOptions } from './write/sink.ts';
import type { RowStats } from './report/row-stats.ts';
import type { Counters, Trouble } from './report/counters.ts';
import type { Training } from './report/training.ts';

export interface ExportOptions {
  /** Files, directories, globs, `s3://bucket/prefix`, `-`. */
  readonly inputs: readonly string[];
  readonly plan: Plan;
  readonly curation: CurationOptions;
  readonly sink: SinkOptions;
  /** The path of the manifest; a directory always contains one. */
  readonly manifest?: string;
  /** Counts everything but writes nothing. */
  readonly dryRun: boolean;
  /** An export without rows fails, and leaves existing output unchanged. */
  readonly failEmpty: boolean;
  readonly training: Training;
  /** The arguments of the command, for the manifest. */
  readonly argv: readonly string[];
  /** The number of converter threads; if omitted, one per core, or none for small inputs. */
  readonly threads?: number;
}

export interface ExportProgress {
  /** The number of bytes read from the inputs on disk. */
  readonly bytes: number;
  /** The total size of the inputs, bytes; `undefined` if one of them is a pipe. */
  readonly total: number | undefined;
  /** The number of rows so far; some of them may be left out at the end. */
  readonly rows: number;
  /** The number of records that yielded no row. */
  readonly dropped: number;
}

export interface ExportHooks {
  /** Aborting it ends the export without leaving files behind. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
  /** Called with the rows as they are written, as whole lines. */
  readonly onRows?: (lines: Uint8Array) => void;
  /** Called for each bad line and each rejected record. */
  readonly onTrouble?: (trouble: Trouble) => void;
}

/** An export in progress. */
export interface Job {
  readonly options: ExportOptions;
  readonly hooks: ExportHooks;
  readonly inputs: readonly LogInput[];
  readonly converters: Converters;
  readonly counters: Counters;
  readonly stats: RowStats;
  readonly onBytes: (bytes: number) => void;
  /** Reports progress. @param rows the number of rows so far */
  readonly progress: (rows: number) => void;
  /** The output file, if rows may be stored in it until it is known which of them are kept. */
  readonly provisional: Provisional | undefined;
  /** Writes rows to a split by its number. @throws OutputClosed, ExportError */
  readonly write: (split: number, lines: Uint8Array, rows: number) => Promise<void>;
}

/** The outcome of an export. */
export interface ReadOutcome {
  readonly seen: readonly InputSeen[];
  /** Whether reading ended early because there were enough rows. */
  readonly ended?: 'max_records';
  /** The feedback on requests that the log does not contain, or that are another caller's. */
  readonly feedback?: { readonly unmatched: number; readonly foreign: number };
  /** The number of answers that are trained more than once. */
  readonly repeatedAnswers?: number;
  /** The number of rows that quote answers for which the whole log was needed. */
  readonly quotedRows?: number;
}
