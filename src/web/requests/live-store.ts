/** Requests as they end, and earlier ones from the log. */
import { useEffect, useState } from 'preact/hooks';
import type { LiveEvent, RequestRow, RequestsAnswer, RunningRow } from '../api.ts';
import { ask, BASE, reason } from '../lib/ask.ts';

/** How long after a refusal the stream is requested again, milliseconds. */
const AGAIN_MS = 5_000;

/** The number of rows that are kept. */
const MAX_ROWS = 1_000;

export interface LiveState {
  readonly status: 'connecting' | 'live' | 'lost';
  /** Newest first. */
  readonly rows: readonly RequestRow[];
  readonly inFlight: number;
  /** The longest-running of them, and when they were reported, milliseconds since 1970. */
  readonly running: readonly RunningRow[];
  readonly runningAtMs: number;
  /** The number of records that arrived faster than they could be shown. */
  readonly skipped: number;
  readonly paused: boolean;
  /** The number that arrived while the list was paused. */
  readonly held: number;
  /** Whether the log contains no more of them. */
  readonly complete: boolean;
  readonly loading: boolean;
  readonly problem: string;
}

const BEGIN: LiveState = {
  status: 'connecting',
  rows: [],
  inFlight: 0,
  running: [],
  runningAtMs: 0,
  skipped: 0,
  paused: false,
  held: 0,
  complete: true,
  loading: false,
  problem: '',
};

/** Notifies the views once per animation frame, however much arrives. */
export class LiveStore {
  state: LiveState = BEGIN;
  readonly #logged: boolean;
  readonly #listeners = new Set<() => void>();
  #frame = 0;
  #source: EventSource | undefined;
  #waiting: RequestRow[] = [];
  #before: number | null = null;
  #loading: AbortController | undefined;
  #filter = '';
  /** Whether anything is subscribed. */
  #wanted = false;

  constructor(logged: boolean) {
    this.#logged = logged;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts with a filter. @returns a function that stops it */
  look(filter: string): () => void {
    this.#filter = filter;
    this.#wanted = true;
    this.#waiting = [];
    this.#set({ ...BEGIN, inFlight: this.state.inFlight });
    this.#open();
    const shown = () => (document.hidden ? this.#close() : this.#open());
    document.addEventListener('visibilitychange', shown);
    return () => {
      document.removeEventListener('visibilitychange', shown);
      this.#wanted = false;
      this.#close();
    };
  }

  pause(paused: boolean): void {
    this.#set({ paused });
    if (!paused) this.#take([], 0);
  }

  /** Loads earlier ones from the log. */
  async more(): Promise<void> {
    if (!this.#logged || this.state.loading) return;
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#set({ loading: true, problem: '' });
    const query = new URLSearchParams({ filter: this.#filter });
    if (this.#before !== null) query.set('before', String(this.#before));
    try {
      const { rows, complete, before, problems } = await ask<RequestsAnswer>(
        `requests?${query.toString()}`,
        signal,
      );
      this.#before = before;
      const problem = problems.join('; ');
      this.#set({ rows: merged(this.state.rows, rows), complete, problem, loading: false });
    } catch (thrown) {
      if (!signal.aborted) this.#set({ loading: false, problem: reason(thrown) });
    }
  }

  #open(): void {
    if (this.#source || !this.#wanted || document.hidden) return;
    this.#source = new EventSource(
      `${BASE}/page/live?${new URLSearchParams({ filter: this.#filter }).toString()}`,
    );
    this.#source.addEventListener('open', () => {
      this.#set({ status: 'live' });
      // Requests that ended while nothing was subscribed are in the log.
      this.#before = null;
      this.#loading?.abort();
      this.#set({ loading: false });
      void this.more();
    });
    this.#source.addEventListener('error', () => {
      this.#set({ status: 'lost' });
      // A browser does not reconnect after a refusal.
      if (this.#source?.readyState === EventSource.CLOSED) {
        this.#close();
        setTimeout(() => this.#open(), AGAIN_MS);
      }
    });
    this.#source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const { records, skipped, inFlight, running } = JSON.parse(data) as LiveEvent;
      const now = running ? { running, runningAtMs: Date.now() } : {};
      this.#set({ inFlight, status: 'live', ...now });
      if (records.length > 0 || skipped > 0) this.#take(records, skipped);
    });
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#loading?.abort();
  }

  #take(records: readonly RequestRow[], skipped: number): void {
    for (const record of records) this.#waiting.push(record);
    if (this.#waiting.length > MAX_ROWS) this.#waiting.splice(0, this.#waiting.length - MAX_ROWS);
    if (this.state.paused) {
      return this.#set({ held: this.state.held + records.length, skipped: this.state.skipped + skipped });
    }
    const rows = merged(this.#waiting, this.state.rows);
    this.#waiting = [];
    this.#set({ rows, held: 0, skipped: this.state.skipped + skipped });
  }

  #set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener();
    });
  }
}

/** Without duplicates, newest first, by when the answer ended. */
function merged(some: readonly RequestRow[], others: readonly RequestRow[]): RequestRow[] {
  const byId = new Map<string, RequestRow>();
  for (const row of some) byId.set(keyOf(row), row);
  for (const row of others) byId.set(keyOf(row), row);
  const timed = [...byId.values()].map((row) => ({ row, end: endOf(row) }));
  return timed
    .sort((a, b) => b.end - a.end)
    .slice(0, MAX_ROWS)
    .map(({ row }) => row);
}

/** Clients may choose ids, including equal ones. */
export function keyOf({ id, ts }: RequestRow): string {
  return `${id} ${ts}`;
}

/** When its answer ended, milliseconds since 1970. */
export function endOf({ ts, latency_ms: ms }: RequestRow): number {
  return Date.parse(ts) + ms;
}

export function useLive(store: LiveStore): LiveState {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.listen(() => setState(store.state));
  }, [store]);
  return state;
}
