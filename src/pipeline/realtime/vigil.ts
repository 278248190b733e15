import type { Clock } from '../../clock.ts';
import { Silence } from '../silence.ts';

export interface VigilOptions {
  readonly clock: Clock;
  /** How long nobody may say anything, milliseconds. */
  readonly idleMs: number;
  /** The longest session, milliseconds. */
  readonly maxMs: number;
  /** Asks the provider for a sign of life. */
  readonly ping: () => void;
  /** Whether the provider can be heard now. */
  readonly listens: () => boolean;
  /** Told, in words, that the session is over in good order. */
  readonly ends: (why: string) => void;
  /** Told that the provider gives no sign of life. */
  readonly silent: () => void;
}

/** How often the provider is asked for a sign of life, milliseconds. Two that stay without an answer are its end. */
const PING_MS = 20_000;

/** Watches over a session: that somebody says something, that the provider is there, and that it comes to an end. */
export class Vigil {
  readonly #options: VigilOptions;
  readonly #idle: Silence;
  readonly #cancelEnd: () => void;
  #cancelPing: (() => void) | undefined;
  #heardMs: number;

  constructor(options: VigilOptions) {
    this.#options = options;
    const { clock, maxMs, ends } = options;
    this.#heardMs = clock.monotonic();
    this.#idle = new Silence(clock, () => ends('nobody has said anything for limits.realtime.idle'));
    this.#cancelEnd = clock.after(maxMs, () =>
      ends('it has lasted as long as limits.realtime.duration allows'),
    );
    this.spoken();
    this.#pingLater();
  }

  /** Somebody said something. */
  spoken(): void {
    this.#idle.wait(this.#options.idleMs);
  }

  /** Bytes of the provider came, whatever they are. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonic();
  }

  stop(): void {
    this.#idle.stop();
    this.#cancelEnd();
    this.#cancelPing?.();
  }

  #pingLater(): void {
    const { clock, ping, listens, silent } = this.#options;
    this.#cancelPing = clock.after(PING_MS, () => {
      if (!listens()) this.heard();
      if (clock.monotonic() - this.#heardMs > 2 * PING_MS) return silent();
      ping();
      this.#pingLater();
    });
  }
}
