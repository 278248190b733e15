import type { Clock } from '../clock.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { Fleet, FleetStatus, FleetNews } from '../server/fleet.ts';
import type { Answer, FromWorker, StateKind } from './messages.ts';
import { ProxyError } from '../errors.ts';

/** How long the parent may take to ask all workers, milliseconds: longer than it waits for one. */
const PATIENCE_MS = 3_000;

/** A worker's view of the others: it asks the parent, which asks all workers. */
export class WorkerFleet implements Fleet {
  readonly #tell: (message: FromWorker) => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #listeners: ((news: FleetNews, worker: number) => void)[] = [];
  #lastId = 0;

  constructor(tell: (message: FromWorker) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  async status(): Promise<FleetStatus> {
    return (await this.#ask('status')).status;
  }

  async metrics(): Promise<readonly Family[]> {
    return (await this.#ask('metrics')).families;
  }

  publish(news: FleetNews): void {
    this.#tell({ kind: 'tell', news });
  }

  subscribe(listener: (news: FleetNews, worker: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Called with a message from another worker. */
  receive(news: FleetNews, worker: number): void {
    for (const listener of this.#listeners) listener(news, worker);
  }

  /** Called with the parent's answer. */
  receiveAnswer(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
  }

  async #ask<W extends StateKind>(what: W): Promise<Extract<Answer, { what: W }>> {
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const silent = () =>
      reject(new ProxyError('unavailable', 'Cannot query the other workers: no answer in time'));
    const cancel = this.#clock.after(PATIENCE_MS, silent);
    this.#waiting.set(id, resolve);
    this.#tell({ kind: 'ask', id, what });
    try {
      return (await promise) as Extract<Answer, { what: W }>;
    } finally {
      cancel();
      this.#waiting.delete(id);
    }
  }
}
