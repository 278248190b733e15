import type { Clock } from '../../clock.ts';
import type { ExportProgress } from '../job.ts';
import { bytesText, countText, durationText, thingsText } from './text.ts';

const REDRAW_MS = 100;
/** The interval between lines if they cannot be redrawn: in a file, or in the log of a job. */
const PLAIN_MS = 5_000;
/** The narrowest terminal in which it is drawn. */
const COLUMNS = 79;

export interface ProgressOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** Whether a line can be redrawn. Otherwise a plain line is printed every five seconds. */
  readonly redraw: boolean;
}

/** A line that is redrawn in place, at most ten times a second; or plain lines at intervals. */
export class ProgressLine {
  readonly #options: ProgressOptions;
  readonly #startedMs: number;
  #drawnMs: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
    // A very short export needs no line.
    this.#drawnMs = this.#startedMs;
  }

  update(progress: Shown): void {
    const { clock, write, redraw } = this.#options;
    const now = clock.monotonic();
    if (now - this.#drawnMs < (redraw ? REDRAW_MS : PLAIN_MS)) return;
    this.#drawnMs = now;
    this.#drawn = redraw;
    const text = progressText(progress, now - this.#startedMs);
    write(redraw ? `\r\x1b[K${text}` : `${text}\n`);
  }

  /** Removes the line, so that other text can be written. */
  clear(): void {
    if (this.#drawn) this.#options.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** The progress and the resources of an export. */
export interface Shown extends ExportProgress {
  /** Resident memory of the process, bytes. */
  readonly memory: number;
}

/**
 * The progress in one line, for example "45% of 1.2 GB, 310 MB/s, 12,345 rows, 678 dropped, 95 MB, 2 s left". Fits 80
 * columns.
 */
export function progressText({ bytes, total, rows, dropped, memory }: Shown, elapsedMs: number): string {
  const perMs = elapsedMs > 0 ? bytes / elapsedMs : 0;
  const parts = [
    `${bytesText(perMs * 1000)}/s`,
    thingsText(rows, 'row'),
    ...(dropped > 0 ? [`${countText(dropped)} not`] : []),
    `${bytesText(memory)} memory`,
  ];
  if (total === undefined || total === 0)
    return [`${bytesText(bytes)} read`, ...parts].join(', ').slice(0, COLUMNS);
  // A live file may grow beyond its initial size.
  const share = Math.min(1, bytes / total);
  const left = perMs > 0 ? `, ${durationText(Math.max(0, total - bytes) / perMs)} left` : '';
  return `${Math.floor(share * 100)}% of ${bytesText(total)}, ${parts.join(', ')}${left}`.slice(0, COLUMNS);
}
