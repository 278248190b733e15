import type { LiveEvent, RequestRow } from '../../web/api.ts';

/** Requests that wait for one watcher. Whoever takes them too slowly misses the oldest, and is told how many. */
const MAX_WAITING = 1_000;

/** One who looks at live requests. */
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

  /** Some never came this far. */
  misses(count: number): void {
    this.#skipped += count;
  }

  /** Resolves when something waits, or it has ended; at once where that is so. */
  async something(): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  /** What waits, which it then does no longer. */
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
