/** Finished requests for those who watch the page. Costs nothing while nobody does. */
import type { Clock } from '../../clock.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { RequestRow, RunningRow } from '../../web/api.ts';
import type { Fleet } from '../fleet.ts';
import { ProxyError } from '../../errors.ts';
import { Outbox } from './outbox.ts';
import { MOST_RUNNING } from './running.ts';
import { Watcher } from './watcher.ts';

/** The number of simultaneous watchers; further ones are refused. */
const MAX_WATCHERS = 32;

/** The interval at which the other processes are notified of a watch, milliseconds. */
const LOOK_MS = 3_000;

/** How old the figures of another process may be, milliseconds. */
const FRESH_MS = 5_000;

export interface WatchDeps {
  readonly clock: Clock;
  readonly inFlight: () => number;
  /** The longest-running requests, longest first. */
  readonly running: () => readonly RunningRow[];
  readonly fleet: Fleet | undefined;
}

/** The figures of another process. */
interface WorkerState {
  readonly inFlight: number;
  readonly running: readonly RunningRow[];
  readonly atMs: number;
}

export class RecordWatch {
  readonly #deps: WatchDeps;
  readonly #watchers = new Set<Watcher>();
  /** Sends requests to other processes in which they are watched. */
  readonly #outbox: Outbox | undefined;
  /** The latest figures of the other processes, by number. */
  readonly #others = new Map<number, WorkerState>();
  #cancelLook: (() => void) | undefined;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    const { fleet, clock, inFlight, running } = deps;
    if (!fleet) return;
    this.#outbox = new Outbox({ clock, inFlight, running, tell: (news) => fleet.publish(news) });
    fleet.subscribe((news, worker) => {
      if (news.kind === 'look') this.#outbox!.open();
      if (news.kind !== 'rows') return;
      const { inFlight, running } = news;
      this.#others.set(worker, { inFlight, running, atMs: clock.monotonic() });
      for (const watcher of this.#watchers) watcher.misses(news.skipped);
      for (const row of news.rows) this.#show(row);
    });
  }

  /** The sink of records: keeps none that is not watched. */
  take(record: LogRecord): void {
    const away = this.#outbox?.isOpen ?? false;
    if (this.#watchers.size === 0 && !away) return;
    // Feedback is not a request.
    if (record.endpoint === 'feedback') return;
    const row = rowOf(record);
    this.#show(row);
    if (away) this.#outbox!.add(row);
  }

  /**
   * @param wants which requests to show
   * @throws ProxyError `unavailable` when there are too many watchers
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

  /** The number of requests in progress, in all processes that have reported it. */
  get inFlight(): number {
    return this.#active.reduce((sum, other) => sum + other.inFlight, this.#deps.inFlight());
  }

  /** The longest-running of them. */
  get running(): RunningRow[] {
    const all = [...this.#deps.running(), ...this.#active.flatMap(({ running }) => running)];
    return all.toSorted((a, b) => b.ms - a.ms).slice(0, MOST_RUNNING);
  }

  get #active(): WorkerState[] {
    const sinceMs = this.#deps.clock.monotonic() - FRESH_MS;
    return [...this.#others.values()].filter(({ atMs }) => atMs >= sinceMs);
  }

  /** Ends all streams; browsers reconnect by themselves. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #show(row: RequestRow): void {
    for (const watcher of this.#watchers) watcher.take(row);
  }

  /** Repeatedly notifies the others of a watch. */
  #look(): void {
    const { fleet, clock } = this.#deps;
    if (!fleet || this.#watchers.size === 0) {
      this.#cancelLook = undefined;
      return;
    }
    fleet.publish({ kind: 'look' });
    this.#cancelLook = clock.after(LOOK_MS, () => this.#look());
  }
}

/** The fields of a record, or of a head, that are shown. */
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
