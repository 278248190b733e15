import type { Clock } from '../clock.ts';
import type { ExportProgress } from './run.ts';
import { bytesText, countText, durationText } from './text.ts';

const REDRAW_MS = 100;
/** The narrowest terminal it is drawn for. */
const COLUMNS = 79;

export interface ProgressOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
}

/** One line that is redrawn in place, at most ten times a second. */
export class ProgressLine {
  readonly #options: ProgressOptions;
  readonly #startedMs: number;
  #drawnMs: number;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
    // What is done within the first moments needs no line.
    this.#drawnMs = this.#startedMs;
  }

  update(progress: ExportProgress): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = now;
    this.#drawn = true;
    this.#options.write(`\r\x1b[K${progressText(progress, now - this.#startedMs)}`);
  }

  /** Takes the line away, so that other text can be written. */
  clear(): void {
    if (this.#drawn) this.#options.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** For example "45% of 1.2 GB, 310 MB/s, 12,345 rows, 2 s left". Fits 80 columns. */
export function progressText({ bytes, total, rows }: ExportProgress, elapsedMs: number): string {
  const perMs = elapsedMs > 0 ? bytes / elapsedMs : 0;
  const parts = [`${bytesText(perMs * 1000)}/s`, `${countText(rows)} rows`];
  if (total === undefined || total === 0)
    return [`${bytesText(bytes)} read`, ...parts].join(', ').slice(0, COLUMNS);
  // A live file may grow beyond what it was.
  const share = Math.min(1, bytes / total);
  const left = perMs > 0 ? `, ${durationText(Math.max(0, total - bytes) / perMs)} left` : '';
  return `${Math.floor(share * 100)}% of ${bytesText(total)}, ${parts.join(', ')}${left}`.slice(0, COLUMNS);
}
