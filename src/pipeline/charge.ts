import type { Price } from '../config/schema.ts';
import type { Fault, ProxyError } from '../errors.ts';
import type { Lease } from '../limits/lease.ts';
import type { Limit } from '../limits/limit.ts';
import type { Expected } from '../limits/limiter.ts';
import type { LogRecord } from '../logs/record.ts';
import type { ProviderModel } from '../providers/base.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { Usage } from '../wire/usage.ts';
import type { Answered } from './exchange.ts';
import type { Target } from './target.ts';
import { cutBy, pausedBy } from '../limits/refusal.ts';
import { chargedFor, wasAsked } from '../logs/record.ts';
import { isEmbedding, saysWhy } from '../wire/endpoints.ts';
import { plainUsage } from '../wire/usage.ts';
import { targetNames } from './admission.ts';
import { FailedUsage } from './failed-usage.ts';

/**
 * USD for an answer of a target, or `null` when its price is unknown.
 * @param atMs when it was asked, milliseconds since 1970
 */
export type Pricer = (
  target: Target,
  configured: Price | undefined,
  usage: Usage,
  atMs: number,
) => number | null;

/** A target, and how its model is offered here. */
export interface Source {
  readonly target: Target;
  readonly offer: ProviderModel;
}

/** A request at its end, as far as its charge goes by it. */
export interface Ended {
  readonly endpoint: Recorded;
  readonly attempts: LogRecord['attempt_log'];
  /** Who was asked last, or whose answer it is. */
  readonly source: Source | undefined;
  /** Whether an answer was given. */
  readonly isAnswered: boolean;
  readonly answer: Answered | undefined;
  readonly error: ProxyError | undefined;
  /** Whether it counts as a request although no provider was asked. */
  readonly isFeedback: boolean;
}

/** What was charged to limits. */
export interface Charged {
  /** Whether a provider was asked. */
  readonly asked: boolean;
  readonly tokens: number;
  readonly usd: number;
}

/** How a client ends a request that has no answer yet: by going, or by a deadline of its own. */
const LEAVING: ReadonlySet<Fault> = new Set(['client_abort', 'deadline']);

const NO_USAGE = plainUsage(0, 0);

/** What one request is charged: what it holds of its limits while it runs, and what it has used in the end. */
export class Charge {
  readonly #price: Pricer;
  readonly #atMs: number;
  readonly #failed = new FailedUsage();
  #lease: Lease | undefined;
  #expected: (() => Expected) | undefined;
  /** The limit that a session has used up. */
  #empty: Limit | undefined;
  #cost: number | null = null;
  #estimate: LogRecord['estimate'];

  /** @param atMs when the request came, milliseconds since 1970: prices are those of that time */
  constructor(price: Pricer, atMs: number) {
    this.#price = price;
    this.#atMs = atMs;
  }

  /** USD of what was told; `null` where the price is unknown, or is no amount. */
  get cost(): number | null {
    return this.#cost;
  }

  /** What limits are charged where no provider tells all that was used. */
  get estimate(): LogRecord['estimate'] {
    return this.#estimate;
  }

  /** What attempts told that failed; `undefined` where none told anything. */
  get failedSum(): LogRecord['failed'] {
    return this.#failed.sum;
  }

  /** @param expected what the request is expected to use, where it is not told what it used */
  admitted(lease: Lease | undefined, expected: () => Expected): void {
    this.#lease = lease;
    this.#expected = expected;
  }

  /** Whether a limit ends it at once when it is used up. */
  get isHard(): boolean {
    return this.#lease?.isHard ?? false;
  }

  /** Takes more of its limits where an answer has grown. @returns why it must not go on, where there is no more */
  overuse(written: number): ProxyError | undefined {
    const limit = this.#lease?.isHard ? this.#lease.grow(written) : undefined;
    return limit && cutBy(limit);
  }

  /**
   * Takes of its limits what a session has used so far.
   * @returns why it must not ask for more now, where a limit is used up
   */
  spends(usage: Usage, source: Source | undefined): ProxyError | undefined {
    const lease = this.#lease;
    if (!lease) return undefined;
    const usd = source ? this.#priceOf(source, usage) : null;
    this.#empty = lease.reach({ input: usage.input, output: usage.output, usd });
    return this.#empty && pausedBy(this.#empty);
  }

  /** Something was refused in the session because of that. */
  refuses(): void {
    if (this.#empty) this.#lease?.refused(this.#empty);
  }

  /** What an attempt has told that it used, whose answer nobody is given. @returns what is to be said of the attempt */
  failed(source: Source, told: Usage): NonNullable<LogRecord['failed']> {
    return this.#failed.add(told, this.#priceOf(source, told), namesOf(source));
  }

  /** Prices what was told. */
  tell(usage: Usage, source: Source): void {
    this.#cost = this.#priceOf(source, usage);
  }

  /** Estimates what nobody told: the answer was cut, its client left, or no tokens are counted there. */
  estimates(ended: Ended): void {
    this.#estimate = this.#estimated(ended);
  }

  /** Ends what is held of limits: what was used stays counted. */
  settle({ attempts, source, isAnswered, isFeedback, answer }: Ended): Charged {
    const asked = wasAsked(attempts);
    const told = answer?.usage;
    const { input, output, cost } = chargedFor({
      input_tokens: told?.input ?? null,
      output_tokens: told?.output ?? null,
      cost: this.#cost,
      estimate: this.#estimate,
      failed: this.#failed.sum,
    });
    const answered = () => [
      ...(source && (isAnswered || this.#estimate) ? namesOf(source) : []),
      ...this.#failed.names,
    ];
    this.#lease?.settle({ asked: asked || isFeedback, answered, input, output, usd: cost });
    return { asked, tokens: input + output, usd: cost ?? 0 };
  }

  #estimated({ endpoint, attempts, source, isAnswered, answer, error }: Ended): LogRecord['estimate'] {
    if (!this.#lease || !this.#expected) return undefined;
    if (isEmbedding(endpoint) && answer && !answer.usage) return this.#tokens(NO_USAGE, 1, 0, source);
    if (!saysWhy(endpoint)) return undefined;
    if (!isAnswered) return leftOpen(attempts, error) ? this.#tokens(NO_USAGE, 1, 0, source) : undefined;
    if (!answer) return undefined;
    const { usage, finish, parts, written } = answer;
    // Some tell the input when they begin, and of the output no more than that it began.
    const isTold = usage !== undefined && finish !== null && !parts;
    if (isTold || !written) return undefined;
    const untold = parts ? parts.filter((part) => part.input_tokens === null).length : usage ? 0 : 1;
    return this.#tokens(usage ?? NO_USAGE, untold, written(), source);
  }

  /** @param untold how often the input was sent to somebody who did not tell of it */
  #tokens(told: Usage, untold: number, written: number, source: Source | undefined): LogRecord['estimate'] {
    const input = told.input + untold * this.#expected!().input;
    const output = Math.max(told.output, written);
    const cost = source ? this.#priceOf(source, { ...told, input, output }) : null;
    return { input_tokens: input, output_tokens: output, cost };
  }

  #priceOf({ target, offer }: Source, usage: Usage): number | null {
    const usd = this.#price(target, offer.price, usage, this.#atMs);
    return usd !== null && Number.isFinite(usd) && usd >= 0 ? usd : null;
  }
}

function namesOf({ target, offer }: Source): readonly string[] {
  return targetNames(target.provider.name, target.model, offer.name);
}

/** Whether the client went while a provider was at work, who is paid for what it was given. */
function leftOpen(attempts: LogRecord['attempt_log'], error: ProxyError | undefined): boolean {
  // What it told is charged already.
  if (attempts.at(-1)?.input_tokens !== undefined) return false;
  return wasAsked(attempts) && error !== undefined && LEAVING.has(error.fault);
}
