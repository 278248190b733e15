import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { LogFile } from './files.ts';

const SYNC_MS = 1_000;

interface SyncsDeps {
  readonly clock: Clock;
  /** Called when it is time to sync again. */
  readonly due: () => void;
}

/** Syncs written data to disk as often as the settings demand. */
export class Syncs {
  readonly #when: Config['logging']['requests']['fsync'];
  readonly #file: LogFile;
  readonly #deps: SyncsDeps;
  #syncedMs = -Infinity;
  #closing = false;
  #cancel: (() => void) | undefined;

  constructor(when: Config['logging']['requests']['fsync'], file: LogFile, deps: SyncsDeps) {
    this.#when = when;
    this.#file = file;
    this.#deps = deps;
  }

  /** Called after a batch was written. */
  async sync(): Promise<void> {
    if (this.#when === 'never') return;
    const { clock, due } = this.#deps;
    const waitMs = this.#when === 'always' ? 0 : this.#syncedMs + SYNC_MS - clock.monotonic();
    if (waitMs <= 0) {
      await this.#file.sync();
      this.#syncedMs = clock.monotonic();
      return;
    }
    if (this.#closing) return;
    this.#cancel ??= clock.after(waitMs, () => {
      this.#cancel = undefined;
      due();
    });
  }

  /** Schedules nothing more. */
  close(): void {
    this.#closing = true;
    this.#cancel?.();
  }
}
