/** Finished requests on their way to whoever looks at the page. Costs nothing while nobody does. */
import type { Clock } from '../../clock.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { RequestRow, RunningRow } from '../../web/api.ts';
import type { Fleet } from '../fleet.ts';
import { ProxyError } from '../../errors.ts';
import { Outbox } from './outbox.ts';
import { MOST_RUNNING } from './running.ts';
import { Watcher } from './watcher.ts';

/** Those who look at once; further ones are refused. */
const MAX_WATCHERS = 32;

/** How often the other processes are told that somebody looks, milliseconds. */
const LOOK_MS = 3_000;

/** How old a number of another process may be, milliseconds. */
const FRESH_MS = 5_000;

export interface WatchDeps {
  readonly clock: Clock;
  readonly inFlight: () => number;
  /** The requests in flight that have taken longest, the longest first. */
  readonly running: () => readonly RunningRow[];
  readonly fleet: Fleet | undefined;
}

/** What another process has said. */
interface Heard {
  readonly inFlight: number;
  readonly running: readonly RunningRow[];
  readonly atMs: number;
}

export class RecordWatch {
  readonly #deps: WatchDeps;
  readonly #watchers = new Set<Watcher>();
  /** What goes to other processes where somebody looks. */
  readonly #outbox: Outbox | undefined;
  /** What the others have last said of their requests in flight, by their numbers. */
  readonly #others = new Map<number, Heard>();
  #cancelLook: (() => void) | undefined;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    const { fleet, clock, inFlight, running } = deps;
    if (!fleet) return;
    this.#outbox = new Outbox({ clock, inFlight, running, tell: (told) => fleet.tell(told) });
    fleet.hear((told, worker) => {
      if (told.kind === 'look') this.#outbox!.open();
      if (told.kind !== 'rows') return;
      const { inFlight, running } = told;
      this.#others.set(worker, { inFlight, running, atMs: clock.monotonic() });
      for (const watcher of this.#watchers) watcher.misses(told.skipped);
      for (const row of told.rows) this.#show(row);
    });
  }

  /** The sink of records: keeps none that nobody wants to see. */
  take(record: LogRecord): void {
    const away = this.#outbox?.isOpen ?? false;
    if (this.#watchers.size === 0 && !away) return;
    // What is said of a request is none.
    if (record.endpoint === 'feedback') return;
    const row = rowOf(record);
    this.#show(row);
    if (away) this.#outbox!.add(row);
  }

  /**
   * @param wants which requests are to be seen
   * @throws ProxyError `unavailable` when too many look already
   */
  begin(wants: (row: RequestRow) => boolean): Watcher {
    if (this.#watchers.size >= MAX_WATCHERS)
      throw new ProxyError('unavailable', 'Cannot show live requests: there are too many viewers already');
    const watcher = new Watcher(wants, () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    if (!this.#cancelLook) this.#look();
    return watcher;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Requests whose answer has not ended, of all processes as far as they have told. */
  get inFlight(): number {
    return this.#heard.reduce((sum, other) => sum + other.inFlight, this.#deps.inFlight());
  }

  /** Those of them that have taken longest. */
  get running(): RunningRow[] {
    const all = [...this.#deps.running(), ...this.#heard.flatMap(({ running }) => running)];
    return all.toSorted((a, b) => b.ms - a.ms).slice(0, MOST_RUNNING);
  }

  get #heard(): Heard[] {
    const sinceMs = this.#deps.clock.monotonic() - FRESH_MS;
    return [...this.#others.values()].filter(({ atMs }) => atMs >= sinceMs);
  }

  /** Ends all streams; browsers begin again by themselves. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #show(row: RequestRow): void {
    for (const watcher of this.#watchers) watcher.take(row);
  }

  /** Tells the others that somebody looks, again and again. */
  #look(): void {
    const { fleet, clock } = this.#deps;
    if (!fleet || this.#watchers.size === 0) {
      this.#cancelLook = undefined;
      return;
    }
    fleet.tell({ kind: 'look' });
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look());
  }
}

/** What is shown of a record, or of the head of one. */
export function rowOf(record: LogRecord): RequestRow {
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
    conversation: record.conversation,
    user: record.user,
    group: record.group,
    tags: record.tags,
    labels: record.labels,
  };
}
