/** Sinks: files, directories and standard output that rows are written to. */
import type { Column } from '../render/format.ts';

export interface SinkOptions {
  /** A path, or `-` for standard output. */
  readonly path: string;
  readonly shape: 'stdout' | 'file' | 'directory';
  /** Whether what an earlier export wrote is replaced. */
  readonly force: boolean;
  /** Names of the splits; one where nothing is split. */
  readonly splits: readonly string[];
  /** Begin a new file after so many bytes of rows. */
  readonly shardBytes?: number;
  readonly compress?: 'gz' | 'zst';
  readonly parquet: boolean;
  /** Whether hashes of the files are wanted. */
  readonly hash: boolean;
  /** The columns of a row; `undefined` when rows are no table. */
  readonly columns: readonly Column[] | undefined;
}

export interface OutputFile {
  /** Within the directory, or as it was given. */
  readonly path: string;
  readonly split: string;
  readonly rows: number;
  readonly bytes: number;
  /** The SHA-256 of the bytes on disk, in hex; `undefined` when no hash was asked for. */
  readonly sha256?: string;
}

/** A file of text that appears with the rows: in the directory by name, or anywhere by path. */
export type ExtraFile =
  { readonly name: string; readonly text: string } | { readonly path: string; readonly text: string };

/** A file that is filled before it is known which rows stay in it: most often all do, and need not be written twice. */
export interface Provisional {
  /** The file descriptor that rows may be written to and read from. */
  readonly fd: number;
  /** Keeps everything that was written to it. */
  keep(rows: number, bytes: number): void;
  /** Begins the file anew. What was put there can still be read by its number, which the caller closes. */
  renew(): void;
}

/** How rows become bytes. */
export interface Packing {
  /** Takes whole lines; their memory may be used again when the promise is kept. */
  write(lines: Uint8Array): Promise<void>;
  /** Writes the rest; the bytes are not closed. */
  end(): Promise<void>;
}

export interface Sink {
  /** Left out where rows are packed, hashed or split. */
  readonly provisional?: Provisional;

  /**
   * Writes whole lines to a split. Their memory may be used again when the promise is kept.
   * @throws OutputClosed when the reader of a pipe has left; ExportError
   */
  write(split: string, lines: Uint8Array, rows: number): Promise<void>;
  /**
   * Writes the rest, and makes everything appear in one step.
   * @param extras what else is to appear, told the files that were written
   */
  finish(extras: (files: readonly OutputFile[]) => readonly ExtraFile[]): Promise<readonly OutputFile[]>;
  /** Leaves nothing behind. May be called at any time, more than once. */
  discard(): void;
}

/** The reader of our output has left, as `head` does: no error, but nothing more to do. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}
