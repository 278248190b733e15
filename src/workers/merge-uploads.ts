import type { UploadState } from '../logs/upload/state.ts';
import { mergeReasons } from './merge-reasons.ts';

/** Merges the states of the workers' uploads, like `mergeLogs()`; `undefined` if nothing is uploaded. */
export function mergeUploads(
  seen: readonly { readonly worker: number; readonly upload: UploadState | undefined }[],
): UploadState | undefined {
  const known = seen.flatMap(({ worker, upload }) => (upload ? [{ worker, ...upload }] : []));
  const [first] = known;
  if (!first) return undefined;
  const reasons = mergeReasons(
    known.map(({ worker, reason }) => ({ worker, reasons: reason === null ? [] : [reason] })),
  );
  const { worker: _, ...merged } = first;
  const sum = (name: 'files' | 'bytes' | 'uploaded' | 'uploaded_bytes' | 'failures' | 'lost') =>
    known.reduce((total, each) => total + each[name], 0);
  return {
    ...merged,
    state: known.some(({ state }) => state === 'failing') ? 'failing' : 'ok',
    since: known.flatMap(({ since }) => since ?? []).toSorted()[0] ?? null,
    reason: reasons.length > 0 ? reasons.join('; ') : null,
    files: sum('files'),
    bytes: sum('bytes'),
    uploaded: sum('uploaded'),
    uploaded_bytes: sum('uploaded_bytes'),
    failures: sum('failures'),
    lost: sum('lost'),
  };
}
