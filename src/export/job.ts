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
  /** The path of the manifest; in a directory there is always one beside the rows. */
  readonly manifest?: string;
  /** Nothing is written; all is counted. */
  readonly dryRun: boolean;
  /** An export without a row fails: what was there before stays as it is. */
  readonly failEmpty: boolean;
  readonly training: Training;
  /** The arguments of the command, for the manifest. */
  readonly argv: readonly string[];
  /** Threads that convert: as many as there are cores when left out, none for little input. */
  readonly threads?: number;
}

export interface ExportProgress {
  /** Bytes taken from the inputs as they are on disk. */
  readonly bytes: number;
  /** The bytes of all inputs; `undefined` when a pipe is among them. */
  readonly total: number | undefined;
  /** Rows made so far; some of them may be left out at the end. */
  readonly rows: number;
  /** Records that are no rows. */
  readonly dropped: number;
}

export interface ExportHooks {
  /** Aborting ends the export and leaves no file behind. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExportProgress) => void;
  /** Called with the rows as they are written, as whole lines. */
  readonly onRows?: (lines: Uint8Array) => void;
  /** Called for each bad line and each record that was rejected. */
  readonly onTrouble?: (trouble: Trouble) => void;
}

/** An export under way. */
export interface Job {
  readonly options: ExportOptions;
  readonly hooks: ExportHooks;
  readonly inputs: readonly LogInput[];
  readonly converters: Converters;
  readonly counters: Counters;
  readonly stats: RowStats;
  readonly onBytes: (bytes: number) => void;
  /** Tells how far it is. @param rows made so far */
  readonly progress: (rows: number) => void;
  /** The output file, if rows may wait in it until it is known which of them stay. */
  readonly provisional: Provisional | undefined;
  /** Writes rows to a split by its number. @throws OutputClosed, ExportError */
  readonly write: (split: number, lines: Uint8Array, rows: number) => Promise<void>;
}

/** How an export went on to its end. */
export interface ReadOutcome {
  readonly seen: readonly InputSeen[];
  /** Reading ended early: enough rows. */
  readonly ended?: 'max_records';
  /** Feedback that is about no request of the log, or about another caller's. */
  readonly feedback?: { readonly unmatched: number; readonly foreign: number };
  /** Answers that are trained more than once. */
  readonly repeatedAnswers?: number;
}
