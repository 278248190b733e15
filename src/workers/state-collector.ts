import type { Clock } from '../clock.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { Answer, Report, StateKind } from './messages.ts';
import { withoutGauges, mergeFamilies } from './merge-metrics.ts';
import { mergeLogs } from './merge-log.ts';
import { mergeProviders } from './merge-providers.ts';

/** How long a worker may take to report its state, milliseconds. */
const PATIENCE_MS = 1_000;

interface Question {
  readonly waiting: Set<number>;
  readonly reports: Map<number, Report>;
  readonly done: () => void;
}

/** Collects the state of all workers and merges it. */
export class StateCollector {
  readonly #workers: number;
  readonly #clock: Clock;
  readonly #questions = new Map<number, Question>();
  /** Concurrent requests share one answer. */
  readonly #running = new Map<StateKind, Promise<Answer>>();
  /** The counters of each worker as last reported. */
  readonly #counted = new Map<number, readonly Family[]>();
  /** The counters of workers that have ended. */
  #past: readonly Family[] = [];
  readonly #restarts: number[];
  #lastQuestion = 0;

  constructor(workers: number, clock: Clock) {
    this.#workers = workers;
    this.#clock = clock;
    this.#restarts = Array.from({ length: workers }, () => 0);
  }

  /**
   * The merged state of all workers; those that do not answer in time are named.
   * @param workers the numbers of the workers that listen
   * @param ask asks one of them
   */
  gather(
    what: StateKind,
    workers: readonly number[],
    ask: (worker: number, question: number) => void,
  ): Promise<Answer> {
    let running = this.#running.get(what);
    if (!running) {
      running = this.#gather(what, workers, ask).finally(() => this.#running.delete(what));
      this.#running.set(what, running);
    }
    return running;
  }

  /** Called with a worker's answer. */
  take(worker: number, question: number, report: Report): void {
    if (report.what === 'metrics') this.#counted.set(worker, withoutGauges(report.families));
    const pending = this.#questions.get(question);
    if (!pending?.waiting.delete(worker)) return;
    pending.reports.set(worker, report);
    if (pending.waiting.size === 0) pending.done();
  }

  /** Called when a worker has ended: it is no longer waited for, and its counters are kept. */
  workerEnded(worker: number): void {
    this.#restarts[worker - 1]! += 1;
    this.#past = mergeFamilies([this.#past, this.#counted.get(worker) ?? []]);
    this.#counted.delete(worker);
    for (const { waiting, done } of this.#questions.values()) {
      if (waiting.delete(worker) && waiting.size === 0) done();
    }
  }

  async #gather(
    what: StateKind,
    workers: readonly number[],
    ask: (worker: number, question: number) => void,
  ): Promise<Answer> {
    const question = (this.#lastQuestion += 1);
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const reports = new Map<number, Report>();
    this.#questions.set(question, { waiting: new Set(workers), reports, done });
    const cancel = this.#clock.after(PATIENCE_MS, done);
    for (const worker of workers) ask(worker, question);
    if (workers.length > 0) await promise;
    cancel();
    this.#questions.delete(question);
    return what === 'metrics' ? this.#metrics(reports) : this.#status(reports);
  }

  #status(reports: ReadonlyMap<number, Report>): Answer {
    const known = [...reports].flatMap(([worker, report]) =>
      report.what === 'status' ? [{ worker, ...report }] : [],
    );
    const missing = this.#numbers.filter((worker) => !reports.has(worker));
    const inFlight = known.reduce((total, report) => total + report.inFlight, 0);
    const workers = { total: this.#workers, missing };
    const log = mergeLogs(known);
    return { what: 'status', status: { workers, providers: mergeProviders(known), inFlight, log } };
  }

  #metrics(reports: ReadonlyMap<number, Report>): Answer {
    const reported = [...reports.values()].flatMap((report) =>
      report.what === 'metrics' ? [report.families] : [],
    );
    // A counter that drops and rises again would look like a burst of requests, so the last reported value is kept.
    const silent = this.#numbers.filter((worker) => !reports.has(worker));
    const counted = silent.map((worker) => this.#counted.get(worker) ?? []);
    const families = mergeFamilies([...reported, ...counted, this.#past]);
    return { what: 'metrics', families: [...families, ...this.#ofWorkers(reports)] };
  }

  #ofWorkers(reports: ReadonlyMap<number, Report>): Family[] {
    const values = (of: (worker: number) => number) =>
      this.#numbers.map((worker) => ({ labels: { worker: String(worker) }, value: of(worker) }));
    return [
      {
        name: 'llmproxy_worker_up',
        help: '1 where a worker has answered for this page, else 0',
        type: 'gauge',
        values: values((worker) => (reports.has(worker) ? 1 : 0)),
        aggregator: 'sum',
      },
      {
        name: 'llmproxy_worker_restarts_total',
        help: 'How often a worker has ended and was restarted',
        type: 'counter',
        values: values((worker) => this.#restarts[worker - 1]!),
        aggregator: 'sum',
      },
    ];
  }

  get #numbers(): number[] {
    return Array.from({ length: this.#workers }, (_, index) => index + 1);
  }
}
