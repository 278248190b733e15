import type { Clock } from '../clock.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { ConfigText } from '../config/manager.ts';
import type { Answer, Begin, FromWorker, Models, ToWorker, StateKind } from './messages.ts';
import { StateCollector } from './state-collector.ts';

export interface SupervisorOptions {
  readonly workers: number;
  /** The command line of a worker. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The shared file: each worker gets it as file descriptor 3. */
  readonly memoryFd: number;
  /** Releases what a worker held. @param worker from 1 */
  readonly release: (worker: number) => void;
  /** The start message for a worker. */
  readonly begin: (worker: number) => Begin;
  /** How long a worker may take to exit, milliseconds. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/** What is known once all workers listen. */
export interface Started {
  readonly url: string;
  readonly providers: readonly ProviderStatus[];
  /** The number of models that clients can choose by name. */
  readonly models: number;
}

type Child = Bun.Subprocess<'ignore', 'ignore', 'inherit'>;

interface Slot {
  /** From 1. */
  readonly worker: number;
  child: Child | undefined;
  listening: boolean;
  beganMs: number;
  /** How often in a row it exited soon after its start. */
  failures: number;
  cancelRestart: (() => void) | undefined;
}

/** The delay before a worker is restarted: doubled each time it exits soon, milliseconds. */
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;

/** A worker that ran this long did not fail at its start. */
const SOON_MS = 10_000;

/** How much longer than its requests a worker may take to exit. */
const LAST_WORD_MS = 5_000;

/** Starts workers, restarts those that die, and exchanges messages with them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #collector: StateCollector;
  readonly #started = Promise.withResolvers<Started>();
  readonly #ended = Promise.withResolvers<void>();
  /** The lists of models that a worker received last. */
  #models: Models | undefined;
  #up = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      worker: index + 1,
      child: undefined,
      listening: false,
      beganMs: 0,
      failures: 0,
      cancelRestart: undefined,
    }));
    this.#collector = new StateCollector(options.workers, options.clock);
  }

  /** Starts all of them. @throws Error when one cannot start; none is left running then */
  async start(): Promise<Started> {
    for (const slot of this.#slots) this.#begin(slot);
    try {
      return await this.#started.promise;
    } catch (thrown) {
      this.#stopping = true;
      for (const { child } of this.#slots) child?.kill('SIGKILL');
      await this.#ended.promise;
      throw thrown;
    }
  }

  /** Resolves when all workers have exited. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Sends all workers a configuration that is known to be valid. */
  reload(file: ConfigText): void {
    this.#tellAll({ kind: 'reload', file });
  }

  /** Lets requests finish, then ends the workers. @param signal the reason, for their log */
  drain(signal: string): void {
    this.#stopping = true;
    for (const slot of this.#slots) slot.cancelRestart?.();
    this.#tellAll({ kind: 'drain', signal });
    this.#killAfter(this.#options.drainMs + LAST_WORD_MS);
    this.#endIfGone();
  }

  /** Aborts the requests in progress, and ends the workers. */
  cut(signal: string): void {
    this.#tellAll({ kind: 'cut', signal });
    this.#killAfter(LAST_WORD_MS);
  }

  #begin(slot: Slot): void {
    const { command, env, memoryFd, clock } = this.#options;
    slot.cancelRestart = undefined;
    slot.listening = false;
    slot.beganMs = clock.monotonic();
    slot.child = Bun.spawn([...command], {
      env: { ...env },
      stdio: ['ignore', 'ignore', 'inherit', memoryFd],
      ipc: (message: FromWorker, child) => {
        if (child === slot.child) this.#hear(slot, message);
      },
      onExit: (_, code, signal) => this.#died(slot, signal === null ? `code ${code}` : String(signal)),
    });
  }

  #hear(slot: Slot, message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        return this.#tell(slot, this.#options.begin(slot.worker));
      case 'listening': {
        slot.listening = true;
        // The copy that it read from disk may be older.
        if (this.#models) this.#tell(slot, this.#models);
        if (this.#up || !this.#slots.every(({ listening }) => listening)) return;
        this.#up = true;
        const { url, providers, models } = message;
        return this.#started.resolve({ url, providers, models });
      }
      case 'models': {
        this.#models = message;
        for (const other of this.#slots) if (other !== slot) this.#tell(other, message);
        return;
      }
      case 'failed':
        if (!this.#up) return this.#started.reject(new Error(message.message));
        return this.#options.warn(`worker ${slot.worker}: ${message.message}`);
      case 'ask':
        return void this.#answer(slot, message.id, message.what);
      case 'report':
        return this.#collector.take(slot.worker, message.id, message.report);
      case 'tell': {
        const others = this.#slots.filter(({ worker, listening }) => listening && worker !== slot.worker);
        const news: ToWorker = { kind: 'news', worker: slot.worker, news: message.news };
        for (const other of others) this.#tell(other, news);
      }
    }
  }

  async #answer(slot: Slot, id: number, what: StateKind): Promise<void> {
    const members = this.#slots.filter(({ listening }) => listening);
    const answer: Answer = await this.#collector.gather(
      what,
      members.map(({ worker }) => worker),
      (worker, question) => this.#tell(this.#slots[worker - 1]!, { kind: 'report', id: question, what }),
    );
    this.#tell(slot, { kind: 'answer', id, answer });
  }

  #died(slot: Slot, how: string): void {
    slot.child = undefined;
    slot.listening = false;
    this.#options.release(slot.worker);
    this.#collector.workerEnded(slot.worker);
    if (this.#stopping) return this.#endIfGone();
    // It reports why it cannot start before it exits.
    if (!this.#up)
      return this.#started.reject(new Error(`Cannot start worker ${slot.worker}: ended by ${how}`));
    this.#restart(slot, how);
  }

  #restart(slot: Slot, how: string): void {
    const { clock, warn } = this.#options;
    const soon = clock.monotonic() - slot.beganMs < SOON_MS;
    slot.failures = soon ? slot.failures + 1 : 0;
    const waitMs = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** slot.failures);
    warn(`worker ${slot.worker} ended (${how}): it is restarted in ${waitMs / 1_000} s`);
    slot.cancelRestart = clock.after(waitMs, () => this.#begin(slot));
  }

  #killAfter(ms: number): void {
    this.#options.clock.after(ms, () => {
      for (const { worker, child } of this.#slots) {
        if (!child) continue;
        this.#options.warn(`worker ${worker} does not exit: it is killed`);
        child.kill('SIGKILL');
      }
    });
  }

  #endIfGone(): void {
    if (!this.#slots.every(({ child }) => child === undefined)) return;
    this.#ended.resolve();
    // Fails the start if it is still pending; afterwards this has no effect.
    this.#started.reject(new Error('Cannot start: stopped before all workers listened'));
  }

  #tellAll(message: ToWorker): void {
    for (const slot of this.#slots) this.#tell(slot, message);
  }

  /**
   * A worker that has not asked how to start receives the current state then. One that is exiting receives
   * nothing: its channel closes before its exit is known, and the others must still receive the message.
   */
  #tell({ child }: Slot, message: ToWorker): void {
    try {
      child?.send(message);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_IPC_CHANNEL_CLOSED') throw error;
    }
  }
}
