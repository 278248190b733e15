/** Opens a log file for reading from its end; compressed and remote files are read from their start. */
import * as fs from 'node:fs';
import type { LogInput } from '../input.ts';
import { packingOf } from '../unpacked.ts';
import { fileReason } from '../names.ts';
import { InputError } from '../problem.ts';
import { part } from './lines.ts';

export interface ReadingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with a file that could not be read completely. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

/** An open, uncompressed file. */
export interface PlainFile {
  readonly fd: number;
  /** Its size when it was opened. */
  readonly size: number;
  readonly input: LogInput;
}

/** The two ways to read a file. */
interface Ways<Found, Result> {
  readonly plain: (file: PlainFile) => Generator<Found, Result>;
  readonly packed: () => AsyncGenerator<Found, Result>;
}

/**
 * What the suitable way finds in a file. An input that cannot be read is reported and skipped.
 * @throws the signal's reason when it aborts
 */
export async function* fromOpened<Found, Result>(
  input: LogInput,
  { signal, onProblem }: ReadingOptions,
  ways: Ways<Found, Result>,
): AsyncGenerator<Found, Result | undefined> {
  try {
    const fd = input.object || input.path === '-' ? undefined : open(input.path);
    if (fd === undefined) return yield* ways.packed();
    try {
      const { size } = fs.fstatSync(fd);
      const plain = packingOf(part(fd, 0, Math.min(size, 4))) === undefined;
      return plain ? yield* ways.plain({ fd, size, input }) : yield* ways.packed();
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof InputError) onProblem?.(error.message);
    else if (code !== undefined) onProblem?.(`Cannot read ${input.name}: ${fileReason(error)}`);
    else throw error;
    return undefined;
  }
}

/**
 * `undefined` if the file no longer exists: it may have been compressed since it was listed, so the other way applies.
 */
function open(path: string): number | undefined {
  return fs.existsSync(path) ? fs.openSync(path, 'r') : undefined;
}

export function damageOf({ name }: LogInput): string {
  return `Cannot read ${name} to its end: its compressed data is damaged`;
}
