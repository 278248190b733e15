import type { Clock } from '../clock.ts';
import { described } from './place.ts';

/** The shortest time between two reports of the same problem, milliseconds. */
const QUIET_MS = 60_000;

/** The most problems that are remembered. */
const MAX_REMEMBERED = 500;

interface Reported {
  readonly sinceMs: number;
  /** How often it has occurred since. */
  more: number;
}

/**
 * Reports errors thrown by plugins to the operator: with the plugin's name and the place in its file, once a minute per
 * place.
 */
export class PluginReports {
  readonly #tell: (message: string) => void;
  readonly #clock: Clock;
  readonly #known = new Map<string, Reported>();

  constructor(tell: (message: string) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  /** @param what the failed operation: "Cannot get an answer from acme" */
  readonly failed = (plugin: string, what: string, thrown: unknown): void => {
    const message = `Plugin ${plugin}: ${what}: ${described(thrown)}`;
    const nowMs = this.#clock.monotonic();
    const last = this.#known.get(message);
    if (last && nowMs - last.sinceMs < QUIET_MS) {
      last.more += 1;
      return;
    }
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(message, { sinceMs: nowMs, more: 0 });
    this.#tell(
      last && last.more > 0 ? `${message} (and ${last.more} times since it was last reported)` : message,
    );
  };
}
