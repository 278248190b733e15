import type { Clock } from '../clock.ts';
import { described } from './place.ts';

/** The same trouble is told no more often than this, milliseconds. */
const QUIET_MS = 60_000;

/** Troubles that are remembered at most. */
const MAX_REMEMBERED = 500;

interface Told {
  readonly sinceMs: number;
  /** How often it was met since. */
  more: number;
}

/** Tells the operator what plugins throw: by the plugin's name and the place in its file, and each place once a minute. */
export class PluginReports {
  readonly #tell: (message: string) => void;
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(tell: (message: string) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  /** @param what what went wrong: "Cannot get an answer from acme" */
  readonly failed = (plugin: string, what: string, thrown: unknown): void => {
    const message = `Plugin ${plugin}: ${what}: ${described(thrown)}`;
    const nowMs = this.#clock.monotonic();
    const last = this.#told.get(message);
    if (last && nowMs - last.sinceMs < QUIET_MS) {
      last.more += 1;
      return;
    }
    if (this.#told.size >= MAX_REMEMBERED) this.#told.clear();
    this.#told.set(message, { sinceMs: nowMs, more: 0 });
    this.#tell(
      last && last.more > 0 ? `${message} (and ${last.more} times since it was last told)` : message,
    );
  };
}
