import type { Clock } from '../../clock.ts';
import type { ProxyError } from '../../errors.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Exchange } from '../record/exchange.ts';
import { addUsage, plainUsage } from '../../wire/usage.ts';

/** How often a used-up limit is checked again for the sake of minor messages, milliseconds. */
const ROOM_MS = 1_000;

const NOTHING_USED = plainUsage(0, 0);

/** A message that is not passed on, and whether the client is told. */
export interface Withheld {
  readonly error: ProxyError;
  readonly tell: boolean;
}

/** What a session has used, and what its limits still allow. */
export class Allowance {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  #error: ProxyError | undefined;
  #lookAgainMs = -Infinity;
  /** Whether the client was told that minor messages are withheld. */
  #warned = false;
  /** `undefined` if no provider reported any. */
  usage: Usage | undefined;
  /** The number of withheld messages. */
  withheld = 0;

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange;
    this.#clock = clock;
  }

  /** Charges what was used since the last call. @returns why nothing more may be requested */
  spend(usage: Usage): ProxyError | undefined {
    this.usage = addUsage(this.usage, usage);
    return this.#look();
  }

  /** Whether a message that causes the model to respond must be withheld. @param minor whether it is one of many */
  withholds(minor: boolean): Withheld | undefined {
    // The result of a moment ago is reused.
    if (!minor || this.#clock.monotonic() >= this.#lookAgainMs) this.#look();
    const error = this.#error;
    if (!error) return undefined;
    this.withheld += 1;
    const tell = !minor || !this.#warned;
    if (minor) this.#warned = true;
    else this.#exchange.refuses();
    return { error, tell };
  }

  #look(): ProxyError | undefined {
    this.#lookAgainMs = this.#clock.monotonic() + ROOM_MS;
    this.#error = this.#exchange.spends(this.usage ?? NOTHING_USED);
    if (!this.#error) this.#warned = false;
    return this.#error;
  }
}
