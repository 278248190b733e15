import type { Database } from 'bun:sqlite';
import type { Clock } from '../clock.ts';
import { Accounts } from './accounts.ts';
import { SharedLedger } from './shared-ledger.ts';
import { addToAccount, lockState, openState, readAccount } from './state-file.ts';

export interface SharedKeeperOptions {
  readonly directory: string;
  /** The interval at which the usage of keys is written and expired meters are deleted, milliseconds. */
  readonly flushMs: number;
  /** The largest number of meters. */
  readonly maxMeters: number;
  /** The number of this worker, from 1. */
  readonly worker: number;
  readonly clock: Clock;
  readonly onProblem: (message: string) => void;
}

/** Counts the usage of one of several workers. Limits are written at once, the usage of keys with a short delay. */
export class SharedKeeper {
  readonly ledger: SharedLedger;
  /** Written usage survives the crash of a worker, so that nothing must be recovered from the log. */
  readonly crashed = undefined;
  readonly #options: SharedKeeperOptions;
  readonly #db: Database;
  readonly accounts: Accounts;
  #cancel: (() => void) | undefined;
  #failed = false;

  /** @throws as SQLite does */
  constructor(options: SharedKeeperOptions) {
    this.#options = options;
    this.#db = openState(options.directory);
    this.accounts = new Accounts((key) => readAccount(this.#db, key));
    this.ledger = new SharedLedger(this.#db, options);
  }

  counted(): void {
    this.#cancel ??= this.#options.clock.after(this.#options.flushMs, () => {
      this.#cancel = undefined;
      this.flush();
    });
  }

  /**
   * Adds the usage of keys to what all workers have written, after what could not be written of limits. A failed write
   * is retried.
   */
  flush(): void {
    const { clock, directory, onProblem } = this.#options;
    const nowMs = clock.now();
    // It is told why.
    if (!this.ledger.catchUp(nowMs)) return this.counted();
    const accounts = this.accounts.take();
    try {
      this.#db
        .transaction(() => {
          for (const [key, more] of accounts) addToAccount(this.#db, key, more, nowMs);
          this.ledger.sweep(nowMs);
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
    this.#cancel?.();
    this.#db.close();
  }
}

/**
 * Claims the state directory for workers that are about to start: nothing is held any more for the previous ones.
 * @returns a function that releases it
 * @throws StateInUse when another process uses it, and as SQLite and the file system do
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
