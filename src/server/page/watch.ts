/** Finished requests on their way to whoever looks at the page. Costs nothing while nobody does. */
import type { LogRecord } from '../../logs/record.ts';
import type { LiveEvent, RequestRow } from '../../web/api.ts';
import { ProxyError } from '../../errors.ts';

/** Those who look at once; further ones are refused. */
const MAX_WATCHERS = 32;

/** Records that wait for one watcher. Whoever takes them too slowly misses the oldest, and is told how many. */
const MAX_WAITING = 1_000;

export class RecordWatch {
  readonly #watchers = new Set<Watcher>();

  /** The sink of records: keeps none that nobody wants to see. */
  take(record: LogRecord): void {
    if (this.#watchers.size === 0) return;
    const row = rowOf(record);
    for (const watcher of this.#watchers) watcher.take(row, record);
  }

  /**
   * @param wants which records are to be seen
   * @throws ProxyError `unavailable` when too many look already
   */
  begin(wants: (record: LogRecord) => boolean): Watcher {
    if (this.#watchers.size >= MAX_WATCHERS)
      throw new ProxyError('unavailable', 'Cannot show live requests: too many look at them already');
    const watcher = new Watcher(wants, () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    return watcher;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Ends all streams; browsers begin again by themselves. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
  }
}

/** One who looks. */
export class Watcher {
  readonly #wants: (record: LogRecord) => boolean;
  readonly #gone: () => void;
  #waiting: RequestRow[] = [];
  #skipped = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(wants: (record: LogRecord) => boolean, gone: () => void) {
    this.#wants = wants;
    this.#gone = gone;
  }

  get ended(): boolean {
    return this.#ended;
  }

  take(row: RequestRow, record: LogRecord): void {
    if (!this.#wants(record)) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#skipped += 1;
    }
    this.#waiting.push(row);
    this.#wake?.();
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

/** What lists show of a record, or of the head of one. */
export function rowOf(record: Pick<LogRecord, keyof RequestRow>): RequestRow {
  return {
    ts: record.ts,
    id: record.id,
    outcome: record.outcome,
    status: record.status,
    endpoint: record.endpoint,
    stream: record.stream,
    model: record.model,
    provider: record.provider,
    upstream_model: record.upstream_model,
    finish: record.finish,
    fault: record.fault,
    attempts: record.attempts,
    input_tokens: record.input_tokens,
    output_tokens: record.output_tokens,
    cost: record.cost,
    latency_ms: record.latency_ms,
    first_content_ms: record.first_content_ms,
    key: record.key,
  };
}
