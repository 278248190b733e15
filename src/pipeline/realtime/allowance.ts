import type { Clock } from '../../clock.ts';
import type { ProxyError } from '../../errors.ts';
import type { Usage } from '../../wire/usage.ts';
import type { ClientEvent } from '../../wire/realtime/protocol.ts';
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
  /** The responses that it has asked for and not received, and the largest usage of one so far. */
  #asked = 0;
  #largest: Usage;
  /** `undefined` if no provider reported any. */
  usage: Usage | undefined;
  /** The number of withheld messages. */
  withheld = 0;

  /** @param assumedOutput the tokens of a response of which nothing is known */
  constructor(exchange: Exchange, clock: Clock, assumedOutput: number) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#largest = plainUsage(0, assumedOutput);
  }

  /** A response was asked for, and the message passed on. */
  asks(): void {
    this.#asked += 1;
  }

  /** A response has ended, or was refused. */
  ends(): void {
    this.#asked = Math.max(0, this.#asked - 1);
  }

  /** Charges what was used since the last call. @returns why nothing more may be requested */
  spend(usage: Usage): ProxyError | undefined {
    const isFirst = this.usage === undefined;
    this.usage = addUsage(this.usage, usage);
    if (isFirst || usage.input + usage.output > this.#largest.input + this.#largest.output)
      this.#largest = usage;
    return this.#look();
  }

  /** Whether a message that causes the model to respond must be withheld. */
  withholds({ minor = false, asks = false }: Pick<ClientEvent, 'minor' | 'asks'>): Withheld | undefined {
    // The result of a moment ago is reused.
    if (!minor || this.#clock.monotonic() >= this.#lookAgainMs) this.#look();
    // Another response must fit beside those that were asked for: what they use is known at their end.
    const error = this.#error ?? (asks && this.#asked > 0 ? this.#spends(this.#asked) : undefined);
    if (!error) return undefined;
    this.withheld += 1;
    const tell = !minor || !this.#warned;
    if (minor) this.#warned = true;
    else this.#exchange.refuses();
    return { error, tell };
  }

  #look(): ProxyError | undefined {
    this.#lookAgainMs = this.#clock.monotonic() + ROOM_MS;
    this.#error = this.#spends(0);
    if (!this.#error) this.#warned = false;
    return this.#error;
  }

  /** @param responses how many are expected beside what was used */
  #spends(responses: number): ProxyError | undefined {
    return this.#exchange.spends(this.usage ?? NOTHING_USED, { responses, usage: this.#largest });
  }
}
