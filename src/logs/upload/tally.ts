/** Counts uploads and reports failures. */
import type { Clock } from '../../clock.ts';
import type { FoundLog } from '../closed-files.ts';
import { fileReason } from '../names.ts';
import { UploadError } from './refusal.ts';
import type { UploadState } from './state.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;

export class UploadTally {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #onProblem: (message: string) => void;
  #pending = { files: 0, bytes: 0 };
  #counts = { uploaded: 0, uploaded_bytes: 0, failures: 0, lost: 0 };
  #trouble: { readonly since: string; reason: string; attempts: number } | undefined;

  /** @param url the destination, as configured */
  constructor(url: string, clock: Clock, onProblem: (message: string) => void) {
    this.#url = url;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  get state(): UploadState {
    const { since = null, reason = null } = this.#trouble ?? {};
    return { state: this.#trouble ? 'failing' : 'ok', since, reason, ...this.#pending, ...this.#counts };
  }

  get failing(): boolean {
    return this.#trouble !== undefined;
  }

  /** The delay before the next attempt: a second, doubled each time, 5 minutes at most. @param random from 0 to 1 */
  waitMs(random: number): number {
    const attempts = this.#trouble?.attempts ?? 1;
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1)) * (0.5 + random / 2);
  }

  /** Called with the files that wait. */
  waiting(files: readonly FoundLog[]): void {
    this.#pending = { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  }

  /** Called when one of them no longer waits, because it was uploaded or has changed since. */
  settled({ size }: FoundLog, how: 'uploaded' | 'changed'): void {
    this.#pending.files -= 1;
    this.#pending.bytes -= size;
    if (how !== 'uploaded') return;
    this.#counts.uploaded += 1;
    this.#counts.uploaded_bytes += size;
  }

  /** Called when a file is deleted that was not uploaded. */
  lost(): void {
    this.#counts.lost += 1;
  }

  /** Called after a failed attempt. It is reported once, until uploads work again. */
  failed(path: string, error: unknown): void {
    const reason = error instanceof UploadError ? error.message : fileReason(error);
    this.#counts.failures += 1;
    if (this.#trouble) {
      this.#trouble.attempts += 1;
      this.#trouble.reason = reason;
      return;
    }
    this.#trouble = { since: new Date(this.#clock.now()).toISOString(), reason, attempts: 1 };
    this.#onProblem(
      `Cannot upload the request log ${path} to ${this.#url}: ${reason}; the upload is retried`,
    );
  }

  /** Called when everything that was due is uploaded. */
  succeeded(): void {
    if (!this.#trouble) return;
    this.#trouble = undefined;
    this.#onProblem(`Uploads of the request log to ${this.#url} work again`);
  }
}
