import type { Clock } from '../clock.ts';
import type { Turns } from '../turns.ts';
import type { Mark } from './state-file.ts';
import type { Changes, ChangedMeter } from './store.ts';
import { Accounts } from './accounts.ts';
import { LAST_IDS, noteId } from './last-ids.ts';
import { ObjectOwners } from './object-owners.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { UsageStore } from './store.ts';

export interface KeeperOptions {
  readonly directory: string;
  /** The interval at which changes are written, milliseconds. */
  readonly flushMs: number;
  /** The largest number of meters. */
  readonly maxMeters: number;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly onProblem: (message: string) => void;
}

/** The interval at which expired meters are deleted, milliseconds: that reads the whole file. */
const SWEEP_MS = 3_600_000;

/** Counts usage in this process, and persists it in the state directory, with a short delay and atomically. */
export class Keeper {
  readonly ledger: MemoryLedger;
  readonly accounts: Accounts;
  readonly objects: ObjectOwners;
  /** What the previous process had persisted, if it ended without warning. */
  readonly crashed: Mark | undefined;
  /** Limits are written with a delay, as everything is. */
  readonly keepsLimits = false;
  /** No other process serves. */
  readonly worker = 0;
  readonly #options: KeeperOptions;
  readonly #store: UsageStore;
  readonly #lastIds: string[] = [];
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** What could not be written, by name. */
  #unwritten = new Map<string, ChangedMeter>();
  #failed = false;
  #sweepsAtMs: number;

  /** @throws StateInUse when another process uses the directory, and as the file system does */
  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#store = new UsageStore(options.directory);
    this.#sweepsAtMs = options.clock.now() + SWEEP_MS;
    const { meters, crashed } = this.#store.load(options.clock.now());
    this.ledger = new MemoryLedger(meters, options.maxMeters);
    this.accounts = new Accounts((key) => this.#store.accountOf(key));
    this.objects = new ObjectOwners(
      (id) => this.#store.objectOf(id),
      () => this.#writeLater(),
    );
    this.crashed = crashed;
    this.#lastIds.push(...(crashed?.lastIds ?? []));
    // If the process ends before its first write, the log entries since now are not counted yet.
    if (!crashed) this.#store.mark({ atMs: options.clock.now(), lastIds: [] });
  }

  /** Called when a request has ended and is counted. */
  counted(id: string): void {
    noteId(this.#lastIds, id);
    this.#writeLater();
  }

  #writeLater(): void {
    this.#cancel ??= this.#options.clock.after(this.#options.flushMs, () => {
      this.#cancel = undefined;
      void this.flush();
    });
  }

  /** Writes the changes. A failed write is retried with the next one, and reported once. */
  async flush(): Promise<void> {
    // One after another: the timer and the shutdown may both wait for the same write.
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  /** Writes everything, and releases the directory. */
  async close(): Promise<void> {
    this.#cancel?.();
    await this.flush();
    this.#cancel?.();
    this.#store.close(!this.#failed);
  }

  async #write(): Promise<void> {
    const { clock, turns, directory, onProblem } = this.#options;
    const changes = this.#changes(clock.now());
    try {
      await this.#store.save(changes, async () => turns.pause());
      this.#unwritten = new Map();
      if (this.#failed) onProblem(`Usage is written to ${directory} again`);
      this.#failed = false;
    } catch (thrown) {
      if (!this.#failed) {
        const state = thrown instanceof Error ? thrown.message : String(thrown);
        onProblem(
          `Cannot write usage to ${directory}: ${state}; it is counted in memory until a write succeeds`,
        );
      }
      this.#failed = true;
      this.accounts.giveBack(changes.accounts, clock.now());
      this.objects.giveBack(changes.objects);
      this.#writeLater();
    }
  }

  #changes(nowMs: number): Changes {
    for (const meter of this.ledger.changes()) this.#unwritten.set(meter.name, meter);
    const mark = { atMs: nowMs, lastIds: this.#lastIds.slice(-LAST_IDS) };
    const sweeps = nowMs >= this.#sweepsAtMs;
    if (sweeps) this.#sweepsAtMs = nowMs + SWEEP_MS;
    const meters = [...this.#unwritten.values()];
    return { meters, accounts: this.accounts.take(), objects: this.objects.take(), mark, sweeps };
  }
}
