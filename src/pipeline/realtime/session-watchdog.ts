import type { Clock } from '../../clock.ts';
import { Silence } from '../streams/silence.ts';

export interface SessionWatchdogOptions {
  readonly clock: Clock;
  /** How long both sides may be silent, milliseconds. */
  readonly idleMs: number;
  /** The longest session, milliseconds. */
  readonly maxMs: number;
  /** Sends a ping to the provider. */
  readonly ping: () => void;
  /** Whether the provider can be heard now. */
  readonly isReading: () => boolean;
  /** Called with a reason when the session is over in good order. */
  readonly onEnd: (why: string) => void;
  /** Called when the provider does not answer pings. */
  readonly onUnresponsive: () => void;
}

/** The interval of pings to the provider, milliseconds. Two without an answer end the session. */
const PING_MS = 20_000;

/** Watches a session: that messages are exchanged, that the provider is there, and that it ends. */
export class SessionWatchdog {
  readonly #options: SessionWatchdogOptions;
  readonly #idle: Silence;
  readonly #cancelEnd: () => void;
  #cancelPing: (() => void) | undefined;
  #heardMs: number;

  constructor(options: SessionWatchdogOptions) {
    this.#options = options;
    const { clock, maxMs, onEnd: ends } = options;
    this.#heardMs = clock.monotonic();
    this.#idle = new Silence(clock, () => ends('neither side has sent anything for limits.realtime.idle'));
    this.#cancelEnd = clock.after(maxMs, () =>
      ends('it has lasted as long as limits.realtime.duration allows'),
    );
    this.messageExchanged();
    this.#pingLater();
  }

  /** A message was exchanged. */
  messageExchanged(): void {
    this.#idle.wait(this.#options.idleMs);
  }

  /** Bytes from the provider have arrived, of any kind. */
  bytesReceived(): void {
    this.#heardMs = this.#options.clock.monotonic();
  }

  stop(): void {
    this.#idle.stop();
    this.#cancelEnd();
    this.#cancelPing?.();
  }

  #pingLater(): void {
    const { clock, ping, isReading: listens, onUnresponsive: silent } = this.#options;
    this.#cancelPing = clock.after(PING_MS, () => {
      if (!listens()) this.bytesReceived();
      if (clock.monotonic() - this.#heardMs > 2 * PING_MS) return silent();
      ping();
      this.#pingLater();
    });
  }
}
