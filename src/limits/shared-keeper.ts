import type { Database } from 'bun:sqlite';
import type { Clock } from '../clock.ts';
import { Accounts } from './accounts.ts';
import { SharedLedger } from './shared-ledger.ts';
import { SteadyLedger } from './steady-ledger.ts';
import { addToAccount, lockState, openState, readAccount } from './state-file.ts';

export interface SharedKeeperOptions {
  readonly directory: string;
  /** How often what keys used is written, and what no longer counts is removed, milliseconds. */
  readonly flushMs: number;
  /** How many meters are remembered. */
  readonly maxMeters: number;
  /** Which of the workers, from 1. */
  readonly worker: number;
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/** What one of several workers counts, together with the others. Limits are written at once, what keys used a moment later. */
export class SharedKeeper {
  readonly ledger: SteadyLedger;
  /** What is written is never lost by a crash of one worker, so that nothing is looked for in the log. */
  readonly crashed = undefined;
  readonly #options: SharedKeeperOptions;
  readonly #db: Database;
  readonly #shared: SharedLedger;
  readonly accounts: Accounts;
  #cancel: (() => void) | undefined;
  #failed = false;

  /** @throws what SQLite throws */
  constructor(options: SharedKeeperOptions) {
    this.#options = options;
    this.#db = openState(options.directory);
    this.accounts = new Accounts((key) => readAccount(this.#db, key));
    const { directory, maxMeters, onProblem } = options;
    this.#shared = new SharedLedger(this.#db, options);
    this.ledger = new SteadyLedger(this.#shared, { directory, maxMeters, onProblem });
  }

  counted(): void {
    this.#cancel ??= this.#options.clock.after(this.#options.flushMs, () => {
      this.#cancel = undefined;
      this.flush();
    });
  }

  /** Adds what keys used to what all workers have written. What cannot be written is tried again with the next. */
  flush(): void {
    const { clock, directory, onProblem } = this.#options;
    const nowMs = clock.now();
    const accounts = this.accounts.take();
    try {
      this.#db
        .transaction(() => {
          for (const [key, more] of accounts) addToAccount(this.#db, key, more, nowMs);
          this.#shared.sweep(nowMs);
        })
        .immediate();
      this.#failed = false;
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      if (!this.#failed)
        onProblem(`Cannot write what keys used to ${directory}: ${state}; it is tried again`);
      this.#failed = true;
      this.accounts.giveBack(accounts, nowMs);
      this.counted();
    }
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.flush();
    this.#db.close();
  }
}

/**
 * Takes the state directory for workers that are about to begin: nothing is held any more of what those before them held.
 * @returns how to let others have it
 * @throws StateInUse when another process has it, and what SQLite and the file system throw
 */
export function claimState(directory: string): () => void {
  const lock = lockState(directory);
  try {
    const db = openState(directory);
    db.run('DELETE FROM holds');
    db.close();
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
  return () => lock.close();
}
