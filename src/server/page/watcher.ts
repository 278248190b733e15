import type { LiveEvent, RequestRow } from '../../web/api.ts';

/** The queue of requests for one watcher. A slow reader misses the oldest, and is told how many. */
const MAX_WAITING = 1_000;

/** One watcher of live requests. */
export class Watcher {
  readonly #wants: (row: RequestRow) => boolean;
  readonly #gone: () => void;
  #waiting: RequestRow[] = [];
  #skipped = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(wants: (row: RequestRow) => boolean, gone: () => void) {
    this.#wants = wants;
    this.#gone = gone;
  }

  get ended(): boolean {
    return this.#ended;
  }

  take(row: RequestRow): void {
    if (!this.#wants(row)) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#skipped += 1;
    }
    this.#waiting.push(row);
    this.#wake?.();
  }

  /** Some requests are refused before these facts are known. */
  misses(count: number): void {
    this.#skipped += count;
  }

  /** Resolves when something is queued, or the stream has ended; at once if that is already so. */
  async something(): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** Takes everything from the queue. */
  empty(): Pick<LiveEvent, 'records' | 'skipped'> {
    const taken = { records: this.#waiting, skipped: this.#skipped };
    this.#waiting = [];
    this.#skipped = 0;
    return taken;
  }

  end(): void {
    this.#ended = true;
    this.#gone();
    this.#wake?.();
  }
}
