import type { Database } from 'bun:sqlite';
import type { Clock } from '../clock.ts';
import type { StoredAccount } from './store.ts';
import { Accounts, joined, NO_ACCOUNT } from './accounts.ts';
import { SharedLedger } from './shared-ledger.ts';
import { SteadyLedger } from './steady-ledger.ts';
import { lockState, openState } from './state-file.ts';

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
  /** What is not yet written. */
  #accounts = new Accounts(new Map());
  #cancel: (() => void) | undefined;
  #failed = false;

  /** @throws what SQLite throws */
  constructor(options: SharedKeeperOptions) {
    this.#options = options;
    this.#db = openState(options.directory);
    const { directory, maxMeters, onProblem } = options;
    this.#shared = new SharedLedger(this.#db, options);
    this.ledger = new SteadyLedger(this.#shared, { directory, maxMeters, onProblem });
  }

  get accounts(): Pick<Accounts, 'add' | 'of'> {
    return {
      add: (key, tokens, units, nowMs) => this.#accounts.add(key, tokens, units, nowMs),
      of: (key, nowMs) => joined(this.#stored(key), this.#accounts.of(key, nowMs), nowMs),
    };
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
    const before = this.#accounts;
    try {
      const put = this.#db.query('INSERT OR REPLACE INTO accounts VALUES (?, ?)');
      this.#db
        .transaction(() => {
          for (const [key, account] of before.changes())
            put.run(key, JSON.stringify(joined(this.#stored(key), account, nowMs)));
          this.#shared.sweep(nowMs);
        })
        .immediate();
      this.#accounts = new Accounts(new Map());
      this.#failed = false;
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      if (!this.#failed)
        onProblem(`Cannot write what keys used to ${directory}: ${state}; it is tried again`);
      this.#failed = true;
      before.touchAll();
      this.counted();
    }
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.flush();
    this.#db.close();
  }

  #stored(key: string): StoredAccount {
    const row = this.#db
      .query<{ account: string }, [string]>('SELECT account FROM accounts WHERE key = ?')
      .get(key);
    return row ? (JSON.parse(row.account) as StoredAccount) : NO_ACCOUNT;
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
