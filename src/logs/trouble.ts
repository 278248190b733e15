/**
 * The state of a log that cannot be written: since when, why, how many records were lost, when the next attempt is due.
 */
import type { Clock } from '../clock.ts';
import { fileReason } from './names.ts';
import type { UploadState } from './upload/state.ts';

/** The state of the request log, as /health reports it. */
export interface LogState {
  readonly state: 'ok' | 'failing';
  /** When writing began to fail, ISO 8601; null while it works. */
  readonly since: string | null;
  readonly reason: string | null;
  /** Bytes waiting in memory or being written. */
  readonly pending: number;
  /** Records lost since the start. */
  readonly lost: number;
  /** The state of uploads; omitted if there are none. */
  readonly upload?: UploadState;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** One outage, from the first failed write to the next success. */
export class Trouble {
  readonly since: string;
  readonly path: string;
  /** Records lost during the outage. */
  lost = 0;
  #error: unknown;
  #attempts = 1;

  constructor(clock: Clock, path: string, error: unknown) {
    this.since = new Date(clock.now()).toISOString();
    this.path = path;
    this.#error = error;
  }

  get reason(): string {
    return fileReason(this.#error);
  }

  /** Advice for the operator. */
  get advice(): string {
    const { code, cause } = this.#error as NodeJS.ErrnoException;
    const known = code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
    return ADVICE[known] ?? 'check the disk and logging.requests.directory';
  }

  /** Called after another failed attempt. */
  again(error: unknown): void {
    this.#error = error;
    this.#attempts += 1;
  }

  /** The delay before the next attempt: 250 ms, doubled each time, 10 s at most. */
  get waitMs(): number {
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#attempts - 1));
  }
}

/** How many records were lost, for a message. */
export function lostText(count: number): string {
  return `${count} ${count === 1 ? 'record was' : 'records were'} lost`;
}

const FREE_SPACE = 'free space on its disk';
const ALLOW = 'let the user of this process write there';
const MAKE_WAY = 'move what is in the way, or set logging.requests.directory';
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: FREE_SPACE,
  EDQUOT: FREE_SPACE,
  EFBIG: 'raise the limit of the size of a file (ulimit -f), or lower logging.requests.rotate_size',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  EACCES: ALLOW,
  EPERM: ALLOW,
  EROFS: 'name a writable directory in logging.requests.directory',
  ENOTDIR: MAKE_WAY,
  EISDIR: MAKE_WAY,
  EEXIST: MAKE_WAY,
};
