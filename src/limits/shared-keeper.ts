import type { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { Accounts } from './accounts.ts';
import { ObjectOwners, putObject, readObject, trimObjects } from './object-owners.ts';
import { SharedLedger } from './shared-ledger.ts';
import { claimSpare } from './spare.ts';
import type { Mark } from './state-file.ts';
import { LAST_IDS, noteId } from './last-ids.ts';
import {
  addToAccount,
  deleteMark,
  FILE,
  lockState,
  openState,
  putMark,
  readAccount,
  readMark,
} from './state-file.ts';

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
  /** Up to where the usage of keys was written by the previous process of this number, if it ended without warning. */
  readonly crashed: Mark | undefined;
  /** Limits are written at once: nothing of them must be recovered from the log. */
  readonly keepsLimits = true;
  readonly worker: number;
  readonly #lastIds: string[] = [];
  readonly #options: SharedKeeperOptions;
  readonly #db: Database;
  readonly accounts: Accounts;
  readonly objects: ObjectOwners;
  #cancel: (() => void) | undefined;
  #failed = false;

  /** @throws as SQLite does */
  constructor(options: SharedKeeperOptions) {
    this.#options = options;
    this.worker = options.worker;
    this.#db = openState(options.directory);
    this.crashed = readMark(this.#db, this.#mark);
    this.#lastIds.push(...(this.crashed?.lastIds ?? []));
    if (!this.crashed) putMark(this.#db, this.#mark, { atMs: options.clock.now(), lastIds: [] });
    this.accounts = new Accounts((key) => readAccount(this.#db, key));
    this.objects = new ObjectOwners(
      (id) => readObject(this.#db, id),
      () => void this.#writeLater(),
    );
    this.ledger = new SharedLedger(this.#db, options);
  }

  /** Called when a request has ended and is counted. */
  counted(id: string): void {
    noteId(this.#lastIds, id);
    this.#writeLater();
  }

  #writeLater(): false {
    this.#cancel ??= this.#options.clock.after(this.#options.flushMs, () => {
      this.#cancel = undefined;
      this.flush();
    });
    return false;
  }

  /**
   * Adds the usage of keys to what all workers have written, after what could not be written of limits. A failed write
   * is retried.
   * @returns whether everything is written
   */
  flush(): boolean {
    const { clock, directory, onProblem } = this.#options;
    const nowMs = clock.now();
    // The ledger reports the reason.
    if (!this.ledger.catchUp(nowMs)) return this.#writeLater();
    const accounts = this.accounts.take();
    const objects = this.objects.take();
    try {
      this.#db
        .transaction(() => {
          for (const [key, more] of accounts) addToAccount(this.#db, key, more, nowMs);
          for (const [id, object] of objects) putObject(this.#db, id, object, nowMs);
          if (objects.size > 0) trimObjects(this.#db);
          putMark(this.#db, this.#mark, { atMs: nowMs, lastIds: this.#lastIds.slice(-LAST_IDS) });
          this.ledger.sweep(nowMs);
        })
        .immediate();
      this.#failed = false;
      return true;
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      if (!this.#failed)
        onProblem(`Cannot write the usage of keys to ${directory}: ${state}; the write will be retried`);
      this.#failed = true;
      this.accounts.giveBack(accounts, nowMs);
      this.objects.giveBack(objects);
      return this.#writeLater();
    }
  }

  async close(): Promise<void> {
    const isWritten = this.flush();
    this.#cancel?.();
    if (isWritten) deleteMark(this.#db, this.#mark);
    this.ledger.close();
    this.#db.close();
  }

  get #mark(): string {
    return `worker ${this.#options.worker}`;
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
    const isNew = !existsSync(join(directory, FILE));
    const db = openState(directory);
    db.run('DELETE FROM holds');
    db.close();
    const release = claimSpare(directory, isNew);
    return () => {
      release();
      lock.close();
    };
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
}
