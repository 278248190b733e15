/** Sinks: the files, directories and standard output to which rows are written. */
import type { Column } from '../render/format.ts';

export interface SinkOptions {
  /** A path, or `-` for standard output. */
  readonly path: string;
  readonly shape: 'stdout' | 'file' | 'directory';
  /** Whether the output of an earlier export is replaced. */
  readonly force: boolean;
  /** The names of the splits; a single one if nothing is split. */
  readonly splits: readonly string[];
  /** Start a new file after this many bytes of rows. */
  readonly shardBytes?: number;
  readonly compress?: 'gz' | 'zst';
  readonly parquet: boolean;
  /** Whether hashes of the files are computed. */
  readonly hash: boolean;
  /** The columns of a row; `undefined` when rows are not a table. */
  readonly columns: readonly Column[] | undefined;
}

export interface OutputFile {
  /** Relative to the directory, or as given. */
  readonly path: string;
  readonly split: string;
  readonly rows: number;
  readonly bytes: number;
  /** The SHA-256 of the bytes on disk, in hex; `undefined` when no hash was requested. */
  readonly sha256?: string;
}

/** A text file that appears together with the rows: in the directory by name, or anywhere by path. */
export type ExtraFile =
  { readonly name: string; readonly text: string } | { readonly path: string; readonly text: string };

/**
 * A file that is written before it is known which rows are kept: usually all are, and need not be written
 * twice.
 */
export interface Provisional {
  /** The file descriptor that rows may be written to and read from. */
  readonly fd: number;
  /** Keeps everything that was written. */
  keep(rows: number, bytes: number): void;
  /**
   * Starts the file again. Its previous content can still be read through the descriptor, which the caller
   * closes.
   */
  renew(): void;
}

/** How rows are encoded. */
export interface Packing {
  /** Writes whole lines; their memory may be reused when the promise resolves. */
  write(lines: Uint8Array): Promise<void>;
  /** Writes the rest; the bytes are not closed. */
  end(): Promise<void>;
}

export interface Sink {
  /** Omitted if rows are compressed, hashed or split. */
  readonly provisional?: Provisional;

  /**
   * Writes whole lines to a split. Their memory may be reused when the promise resolves. @throws
   * OutputClosed when the reader has closed the pipe; ExportError
   */
  write(split: string, lines: Uint8Array, rows: number): Promise<void>;
  /**
   * Writes the rest, and makes everything appear in one step. @param extras returns additional files, given
   * the files that were written
   */
  finish(extras: (files: readonly OutputFile[]) => readonly ExtraFile[]): Promise<readonly OutputFile[]>;
  /** Deletes everything that has not appeared. May be called at any time, more than once. */
  discard(): void;
}

/** The reader has closed the pipe, as `head` does: not an error, but there is nothing more to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}
