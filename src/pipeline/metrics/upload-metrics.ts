import type { UploadState } from '../../logs/upload/state.ts';
import type { Family } from './prometheus.ts';
import { counter, family } from './prometheus.ts';

/** The metrics of log uploads; none if there are no uploads. */
export function uploadFamilies(state: UploadState | undefined): Family[] {
  if (!state) return [];
  const one = (value: number) => [{ labels: {}, value }];
  return [
    family('gauge', 'upload_pending_files', 'Complete log files that wait to be uploaded', one(state.files)),
    family('gauge', 'upload_pending_bytes', 'Bytes of log files that wait to be uploaded', one(state.bytes)),
    counter('uploaded_files_total', 'Log files that were uploaded', one(state.uploaded)),
    counter('uploaded_bytes_total', 'Bytes of log files that were uploaded', one(state.uploaded_bytes)),
    counter('upload_failures_total', 'Attempts to upload a log file that failed', one(state.failures)),
    counter(
      'upload_lost_files_total',
      'Log files that were deleted before they were uploaded',
      one(state.lost),
    ),
  ];
}
