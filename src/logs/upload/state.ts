/** The state of request log uploads, as /health reports it. */
export interface UploadState {
  readonly state: 'ok' | 'failing';
  /** Since when uploads fail, ISO 8601; null while they work. */
  readonly since: string | null;
  readonly reason: string | null;
  /** Complete files that wait to be uploaded, and their total size in bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Since the start: files uploaded, their bytes, failed attempts, files deleted before they were uploaded. */
  readonly uploaded: number;
  readonly uploaded_bytes: number;
  readonly failures: number;
  readonly lost: number;
}
