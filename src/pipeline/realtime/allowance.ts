import type { Clock } from '../../clock.ts';
import type { ProxyError } from '../../errors.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Exchange } from '../exchange.ts';
import { addUsage, plainUsage } from '../../wire/usage.ts';

/** How often it is looked whether a limit that was used up has room again for what is minor, milliseconds. */
const ROOM_MS = 1_000;

const NOTHING_USED = plainUsage(0, 0);

/** A message that is not sent on, and whether the client is to be told. */
export interface Withheld {
  readonly error: ProxyError;
  readonly tell: boolean;
}

/** What a session has used, and what its limits leave it to ask for. */
export class Allowance {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  #error: ProxyError | undefined;
  #lookAgainMs = -Infinity;
  /** Whether the client knows that what is minor is withheld. */
  #told = false;
  /** `undefined` where no provider told anything. */
  usage: Usage | undefined;
  /** Messages that were withheld. */
  withheld = 0;

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange;
    this.#clock = clock;
  }

  /** Takes of the limits what was used since the last time. @returns why nothing more may be asked for */
  spend(usage: Usage): ProxyError | undefined {
    this.usage = addUsage(this.usage, usage);
    return this.#look();
  }

  /** Whether a message that makes the model work must be withheld. @param minor whether it is one of many */
  withholds(minor: boolean): Withheld | undefined {
    // What was found a moment ago will do.
    if (!minor || this.#clock.monotonic() >= this.#lookAgainMs) this.#look();
    const error = this.#error;
    if (!error) return undefined;
    this.withheld += 1;
    const tell = !minor || !this.#told;
    if (minor) this.#told = true;
    else this.#exchange.refuses();
    return { error, tell };
  }

  #look(): ProxyError | undefined {
    this.#lookAgainMs = this.#clock.monotonic() + ROOM_MS;
    this.#error = this.#exchange.spends(this.usage ?? NOTHING_USED);
    if (!this.#error) this.#told = false;
    return this.#error;
  }
}
