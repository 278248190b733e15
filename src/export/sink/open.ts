import { ExportError } from '../error.ts';
import { writeFailure } from './bytes.ts';
import { DirectorySink } from './directory.ts';
import { openDraft } from './drafts.ts';
import { FileSink } from './file.ts';
import type { Sink, SinkOptions } from './sink.ts';

const STDOUT_FD = 1;

/**
 * Opens where rows go: `-` is standard output. Files and directories are written beside their names and renamed at the
 * end.
 * @throws ExportError when it exists, or cannot be made
 */
export function openSink(options: SinkOptions): Sink {
  const { path, shape, force } = options;
  try {
    if (shape === 'directory') return new DirectorySink(options);
    const draft =
      shape === 'stdout'
        ? { fd: STDOUT_FD, keep: async () => {}, discard: () => {} }
        : openDraft(path, force);
    return new FileSink(draft, packedByName(options));
  } catch (cause) {
    if (cause instanceof ExportError) throw cause;
    throw writeFailure(path, cause);
  }
}

/** A name such as rows.jsonl.gz asks to be compressed. */
function packedByName(options: SinkOptions): SinkOptions {
  if (options.compress || options.parquet) return options;
  const ending = /\.(gz|zst)$/.exec(options.path)?.[1] as 'gz' | 'zst' | undefined;
  return ending === undefined ? options : { ...options, compress: ending };
}
