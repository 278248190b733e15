/** How the upload of the request log is, as /health shows it. */
export interface UploadState {
  readonly state: 'ok' | 'failing';
  /** Since when it fails, ISO 8601; null while it works. */
  readonly since: string | null;
  readonly reason: string | null;
  /** Files that are complete and wait to be uploaded, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Since the start: files uploaded, their bytes, attempts that failed, files deleted before they were uploaded. */
  readonly uploaded: number;
  readonly uploaded_bytes: number;
  readonly failures: number;
  readonly lost: number;
}
