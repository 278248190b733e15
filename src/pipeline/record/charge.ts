import type { Price } from '../../config/schema.ts';
import type { ProxyError } from '../../errors.ts';
import type { Fault } from '../../faults.ts';
import type { Lease } from '../../limits/lease.ts';
import type { Limit } from '../../limits/limit.ts';
import type { Expected } from '../../limits/asking.ts';
import type { LogRecord } from '../../logs/record.ts';
import type { ProviderModel } from '../../providers/base.ts';
import type { Recorded } from '../../wire/endpoints.ts';
import type { Tiered } from '../../wire/reported-tiers.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Answered } from './exchange-facts.ts';
import type { Target } from '../targets/target.ts';
import { cutBy, pausedBy } from '../../limits/refusal.ts';
import { chargedFor, wasSent } from '../../logs/record.ts';
import { isCount, isEmbedding, isRealtime, isSound, isTalk, saysWhy } from '../../wire/endpoints.ts';
import { plainUsage } from '../../wire/usage.ts';
import { targetNames } from '../admission.ts';
import { FailedUsage } from './failed-usage.ts';

/**
 * The cost of a target's answer in USD, or `null` when its price is unknown.
 * @param atMs the time of the request, milliseconds since 1970
 */
export type Pricer = (
  target: Target,
  configured: Price | undefined,
  usage: Usage,
  atMs: number,
) => number | null;

/** A target, and the name under which its model is offered. */
export interface Source {
  readonly target: Target;
  readonly offer: ProviderModel;
}

/** The facts about a finished request that determine its charge. */
export interface Ended {
  readonly endpoint: Recorded;
  readonly attempts: LogRecord['attempt_log'];
  /** The last target that was called, or the one that answered. */
  readonly source: Source | undefined;
  /** Whether there was an answer. */
  readonly isAnswered: boolean;
  readonly answer: Answered | undefined;
  readonly error: ProxyError | undefined;
  /** Whether it counts as a request although no provider was called. */
  readonly isFeedback: boolean;
}

/** What was charged to limits. */
export interface Charged {
  /** Whether a provider was called. */
  readonly sent: boolean;
  readonly tokens: number;
  readonly usd: number;
}

/** The faults with which a client ends a request without an answer: by disconnecting, or by its own deadline. */
const LEAVING: ReadonlySet<Fault> = new Set(['client_abort', 'deadline']);

const NO_USAGE = plainUsage(0, 0);

/** What limits are charged for. */
interface Spending {
  readonly input: number;
  readonly output: number;
  /** `null` if the price is unknown. */
  readonly usd: number | null;
}

const NO_SPENDING: Spending = { input: 0, output: 0, usd: 0 };

/** Responses that a session has asked for, and the expected usage of each. */
export interface Ahead {
  readonly responses: number;
  readonly usage: Usage;
}

/** The charge of one request: what it reserves while it runs, and what it has used in the end. */
export class Charge {
  readonly #price: Pricer;
  readonly #atMs: number;
  readonly #failed = new FailedUsage();
  #lease: Lease | undefined;
  #expected: (() => Expected) | undefined;
  /** The limit that a session has used up. */
  #empty: Limit | undefined;
  /** What a session has used so far, and what of it was charged to limits of an earlier configuration. */
  #spent = NO_SPENDING;
  #charged = NO_SPENDING;
  #cost: number | null = null;
  #estimate: LogRecord['estimate'];

  /** @param atMs the arrival of the request, milliseconds since 1970, which determines the prices */
  constructor(price: Pricer, atMs: number) {
    this.#price = price;
    this.#atMs = atMs;
  }

  /** The reported usage in USD; `null` if the price is unknown or invalid. */
  get cost(): number | null {
    return this.#cost;
  }

  /** What limits are charged if no provider reports the complete usage. */
  get estimate(): LogRecord['estimate'] {
    return this.#estimate;
  }

  /** The usage reported by failed attempts; `undefined` if none reported any. */
  get failedSum(): LogRecord['failed'] {
    return this.#failed.sum;
  }

  /** @param expected the estimate, used if the usage is not reported */
  admitted(lease: Lease | undefined, expected: () => Expected): void {
    this.#lease = lease;
    this.#expected = expected;
  }

  /** Whether the limit that has no room left for a session ends it. */
  get isCutOff(): boolean {
    return this.#empty?.hard ?? false;
  }

  /** Reserves more for an answer that has grown. @returns why it must not continue if there is no room */
  overuse(written: number): ProxyError | undefined {
    const limit = this.#lease?.isHard ? this.#lease.grow(written) : undefined;
    return limit && cutBy(limit);
  }

  /**
   * Charges what a session has used so far.
   * @param ahead what it is expected to use for each response that it has asked for, and their number
   * @returns why it must not request more now, if a limit is used up
   */
  spends(usage: Usage, ahead: Ahead, source: Source | undefined): ProxyError | undefined {
    const priced = (of: Usage): Spending => ({
      input: of.input,
      output: of.output,
      usd: source ? this.#priceOf(source, of) : null,
    });
    this.#spent = priced(usage);
    const lease = this.#lease;
    if (!lease) return undefined;
    const expected = ahead.responses === 0 ? NO_SPENDING : times(priced(ahead.usage), ahead.responses);
    this.#empty = lease.reach(beyond(this.#spent, this.#charged), expected);
    return this.#empty && pausedBy(this.#empty);
  }

  /** Other limits apply to a session from now on: what it has used so far is charged to the previous ones. */
  moves(lease: Lease | undefined, source: Source | undefined): void {
    const answered = () => (source ? namesOf(source) : []);
    this.#lease?.settle({ sent: true, answered, ...beyond(this.#spent, this.#charged) });
    this.#charged = this.#spent;
    this.#lease = lease;
    this.#empty = undefined;
  }

  /** A message of the session was refused for that reason. */
  refuses(): void {
    if (this.#empty) this.#lease?.refused(this.#empty);
  }

  /** The usage reported by an attempt whose answer is not used. @returns the fields for the attempt's record */
  failed(source: Source, reported: Usage): NonNullable<LogRecord['failed']> {
    return this.#failed.add(reported, this.#priceOf(source, reported), namesOf(source));
  }

  /** The service tiers that the request asks for. */
  get requestedTiers(): Tiered {
    const { tiers } = this.#expected?.().units?.() ?? {};
    return tiers ? { tiers } : {};
  }

  /** Prices the reported usage. */
  tell(usage: Usage, source: Source): void {
    this.#cost = this.#priceOf(source, usage);
  }

  /**
   * Estimates unreported usage: the answer was interrupted, the client disconnected, or no tokens are counted there.
   */
  estimates(ended: Ended): void {
    this.#estimate = this.#estimated(ended);
  }

  /** Settles the reservation: what was used stays counted. */
  settle({ endpoint, attempts, source, isAnswered, isFeedback, answer }: Ended): Charged {
    const sent = wasSent(attempts);
    const reported = answer?.usage;
    const { input, output, cost } = chargedFor({
      input_tokens: reported?.input ?? null,
      output_tokens: reported?.output ?? null,
      cost: this.#cost,
      estimate: this.#estimate,
      failed: this.#failed.sum,
    });
    const answered = () => [
      ...(source && (isAnswered || this.#estimate) ? namesOf(source) : []),
      ...this.#failed.names,
    ];
    // Counting tokens is free, even if a group sets a price for models without one.
    const usd = isCount(endpoint) ? 0 : cost;
    const rest = beyond({ input, output, usd }, this.#charged);
    this.#lease?.settle({ sent: sent || isFeedback, answered, ...rest });
    return { sent, tokens: input + output, usd: cost ?? 0 };
  }

  #estimated({ endpoint, attempts, source, isAnswered, answer, error }: Ended): LogRecord['estimate'] {
    if (!this.#lease || !this.#expected) return undefined;
    if (isEmbedding(endpoint) && answer && !reportsInput(answer.usage))
      return this.#tokens(NO_USAGE, 1, 0, source);
    if (!isAnswered) {
      if (isCount(endpoint) || isRealtime(endpoint) || !leftOpen(attempts, error)) return undefined;
      // What was requested is charged: the text, the images, and the recording, which counts as output.
      return this.#tokens(NO_USAGE, 1, isSound(endpoint) ? this.#expected().output : 0, source);
    }
    if (isSound(endpoint) && answer?.usage?.untold && this.#cost === null)
      return this.#tokens(NO_USAGE, 1, this.#expected().output, source);
    if (!saysWhy(endpoint) || !answer) return undefined;
    const { usage, finish, parts, written } = answer;
    // Some report the input at the start, and of the output only that it has begun.
    const isTold = usage !== undefined && finish !== null && !parts;
    // A model that has answered has written something, whatever the server says.
    const isWhole = isTold && reportsInput(usage) && (usage.output > 0 || !isTalk(endpoint));
    if (isWhole || !written) return undefined;
    const untold = parts
      ? parts.filter((part) => part.input_tokens === null).length
      : reportsInput(usage)
        ? 0
        : 1;
    const output = isTold && usage.output > 0 ? usage.output : written();
    if (isTold && reportsInput(usage) && output === 0) return undefined;
    return this.#tokens(usage ?? NO_USAGE, untold, output, source);
  }

  /** @param untold how often the input was sent to a target that did not report it */
  #tokens(
    reported: Usage,
    untold: number,
    written: number,
    source: Source | undefined,
  ): LogRecord['estimate'] {
    const input = reported.input + untold * this.#expected!().input;
    const output = Math.max(reported.output, written);
    const units = this.#expected!().units?.();
    const tiers = reported.tiers ?? units?.tiers;
    const used = { ...units, ...reported, ...(tiers ? { tiers } : {}), input, output };
    const cost = source ? this.#priceOf(source, used) : null;
    return { input_tokens: input, output_tokens: output, cost };
  }

  #priceOf({ target, offer }: Source, usage: Usage): number | null {
    const usd = this.#price(target, offer.price, usage, this.#atMs);
    return usd !== null && Number.isFinite(usd) && usd >= 0 ? usd : null;
  }
}

function times({ input, output, usd }: Spending, many: number): Spending {
  return { input: input * many, output: output * many, usd: usd === null ? null : usd * many };
}

/** What was used beyond what is charged already. */
function beyond(total: Spending, charged: Spending): Spending {
  if (charged === NO_SPENDING) return total;
  return {
    input: Math.max(0, total.input - charged.input),
    output: Math.max(0, total.output - charged.output),
    usd: total.usd === null ? null : Math.max(0, total.usd - (charged.usd ?? 0)),
  };
}

/**
 * Whether the tokens of a text are reported. No text has none: some servers report zero, or nothing for a prompt that
 * they have cached.
 */
function reportsInput(usage: Usage | undefined): usage is Usage {
  return usage !== undefined && usage.input > 0;
}

/** The names of a target, as limits know it. */
export function namesOf({ target, offer }: Source): readonly string[] {
  return targetNames(target.provider.name, target.model, offer.name);
}

/** Whether the client disconnected while a provider was working, which is charged for its input. */
function leftOpen(attempts: LogRecord['attempt_log'], error: ProxyError | undefined): boolean {
  // Reported usage is already charged.
  if (attempts.at(-1)?.input_tokens !== undefined) return false;
  return wasSent(attempts) && error !== undefined && LEAVING.has(error.fault);
}
