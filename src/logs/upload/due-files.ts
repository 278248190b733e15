import type { FoundLog } from '../closed-files.ts';

/** How long a file must have been silent: another process may still append. */
const SETTLE_MS = 60_000;
/** One that is to be compressed first is not waited for any longer. */
const COMPRESS_WAIT_MS = 10 * 60_000;

export interface DueOptions {
  readonly nowMs: number;
  readonly compress: 'none' | 'zstd';
  /** Which of several workers asks, from 1, and how many there are; both 0 where one process serves. */
  readonly worker: number;
  readonly workers: number;
  /** Whether no file is written any more, and none need be waited for. */
  readonly ending: boolean;
}

/** Those of the files that this process is to upload now, where they were not uploaded. */
export function dueFiles(files: readonly FoundLog[], options: DueOptions): FoundLog[] {
  const names = new Set(files.map(({ name }) => name));
  return files.filter((file) => {
    // While both are there, one of them is about to be deleted.
    if (file.kind === 'plain' && names.has(`${file.name}.zst`)) return false;
    return file.kind !== 'tmp' && file.size > 0 && isOurs(file, options) && isSettled(file, options);
  });
}

/** Those of workers that there are no more are the first one's. */
function isOurs({ worker }: FoundLog, { worker: own, workers }: DueOptions): boolean {
  if (worker === own) return true;
  const served = worker >= 1 && worker <= workers;
  return !served && own <= 1;
}

function isSettled({ kind, mtimeMs }: FoundLog, { nowMs, compress, ending }: DueOptions): boolean {
  const waits = compress === 'zstd' && kind === 'plain';
  return ending || nowMs - mtimeMs >= (waits ? COMPRESS_WAIT_MS : SETTLE_MS);
}
