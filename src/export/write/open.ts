import { isatty } from 'node:tty';
import { ExportError } from '../errors.ts';
import { writeFailure } from './byte-sink.ts';
import { DirectorySink } from './directory.ts';
import { openStagingFile } from './staging-file.ts';
import { FileSink } from './file.ts';
import type { Sink, SinkOptions } from './sink.ts';

const STDOUT_FD = 1;
/** The names of splits that `datasets` accepts. */
const SPLIT_NAME = /^\w+(\.\w+)*$/;

/**
 * Opens the output; `-` is standard output. Files and directories are written under temporary names and
 * renamed at the end. @throws ExportError when it exists, cannot be created, or makes no sense
 */
export function openSink(given: SinkOptions): Sink {
  const options = packedByName(given);
  const { path, shape, force } = options;
  refuseNonsense(options);
  try {
    if (shape === 'directory') return new DirectorySink(options);
    const file =
      shape === 'stdout'
        ? { fd: STDOUT_FD, keep: async () => {}, discard: () => {} }
        : openStagingFile(path, force);
    return new FileSink(file, options);
  } catch (cause) {
    throw writeFailure(shape === 'stdout' ? 'standard output' : path, cause);
  }
}

/** A name such as rows.jsonl.gz requests compression. */
function packedByName(options: SinkOptions): SinkOptions {
  const ending = options.shape === 'file' ? /\.(gz|zst)$/.exec(options.path)?.[1] : undefined;
  if (ending === undefined || options.compress || options.parquet) return options;
  return { ...options, compress: ending as 'gz' | 'zst' };
}

function refuseNonsense({ path, shape, splits, compress, parquet }: SinkOptions): void {
  const odd = splits.find((split) => !SPLIT_NAME.test(split));
  if (shape === 'directory' && odd !== undefined)
    throw new ExportError('usage', `Cannot write ${path}: "${odd}" cannot be the name of a split`);
  if (shape === 'stdout' && (parquet || compress) && isatty(STDOUT_FD))
    throw new ExportError('usage', 'Cannot write compressed rows to a terminal: give --output PATH');
}
