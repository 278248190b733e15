import type { FoundLog } from '../closed-files.ts';

/** How long a file must be unchanged: another process may still append to it. */
const SETTLE_MS = 60_000;
/** How long to wait for a file that is to be compressed first. */
const COMPRESS_WAIT_MS = 10 * 60_000;

export interface DueOptions {
  readonly nowMs: number;
  readonly compress: 'none' | 'zstd';
  /** The number of the worker that asks, from 1, and the number of workers; both 0 where a single process serves. */
  readonly worker: number;
  readonly workers: number;
  /** Whether no file is written any more, so that there is no need to wait. */
  readonly ending: boolean;
}

/** The files that this process is to upload now, unless they have been uploaded. */
export function dueFiles(files: readonly FoundLog[], options: DueOptions): FoundLog[] {
  const names = new Set(files.map(({ name }) => name));
  return files.filter((file) => {
    // While both exist, one of them is about to be deleted.
    if (file.kind === 'plain' && names.has(`${file.name}.zst`)) return false;
    return file.kind !== 'tmp' && file.size > 0 && isOurs(file, options) && isSettled(file, options);
  });
}

/** Files of workers that no longer exist are handled by the first worker. */
function isOurs({ worker }: FoundLog, { worker: own, workers }: DueOptions): boolean {
  if (worker === own) return true;
  const served = worker >= 1 && worker <= workers;
  return !served && own <= 1;
}

function isSettled({ kind, mtimeMs }: FoundLog, { nowMs, compress, ending }: DueOptions): boolean {
  const waits = compress === 'zstd' && kind === 'plain';
  return ending || nowMs - mtimeMs >= (waits ? COMPRESS_WAIT_MS : SETTLE_MS);
}
