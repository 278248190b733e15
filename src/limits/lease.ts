import type { Unpriced } from '../config/schema/groups.ts';
import type { Clock } from '../clock.ts';
import type { Charge, Ledger, Reservation, Standing } from './ledger.ts';
import type { Asking } from './asking.ts';
import type { Reckoning } from './reckoning.ts';
import type { Limit } from './limit.ts';
import { limitHeaders } from './headers.ts';
import { priceOf, tokensOf, unitsOf } from './limit.ts';
import { shown } from './refusal.ts';
import { headerText } from '../wire/header-text.ts';

/** The outcome of a request. */
export interface Outcome {
  /** Whether a provider was called, or the proxy itself has handled it. */
  readonly sent: boolean;
  /** The names of what answered: the model, and "provider/model"; empty if nothing did. */
  readonly answered: () => readonly string[];
  readonly input: number;
  readonly output: number;
  /** `null` if the price is unknown. */
  readonly usd: number | null;
}

/** What a session uses; USD is `null` if the price is unknown. */
type Spending = Pick<Outcome, 'input' | 'output' | 'usd'>;

interface Terms {
  readonly reckoning: Reckoning;
  readonly asking: Asking;
  readonly unpriced: Unpriced;
  /** Whether it began earlier: it is counted as a request where it has to be. */
  readonly carried?: boolean;
}

interface LeaseDeps {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly warns: (message: string) => void;
  readonly refused: (limit: Limit) => void;
}

/** The step in which a stream reserves tokens beyond the estimate. */
const STEP = 64;

/** What a request holds of its limits while it runs. It is settled once. */
export class Lease {
  readonly kind = 'lease';
  readonly #reservation: Reservation;
  readonly #terms: Terms;
  readonly #deps: LeaseDeps;
  #isHard: boolean | undefined;
  #settled = false;

  constructor(reservation: Reservation, terms: Terms, deps: LeaseDeps) {
    this.#reservation = reservation;
    this.#terms = terms;
    this.#deps = deps;
  }

  /** Whether a stream is cut off when it exceeds a limit. */
  get isHard(): boolean {
    return (this.#isHard ??= this.#reservation.standings.some(({ charge }) => cuts(charge)));
  }

  /** The headers that tell the caller what is left of its limits. @param messages whether it uses the Messages API */
  headers(messages: boolean): Record<string, string> {
    const { standings, atMs } = this.#reservation;
    const headers = limitHeaders(standings, atMs, messages);
    if (standings.some(isNearlyUsedUp)) {
      const warnings = standings.filter(isNearlyUsedUp).map(warningOf);
      headers['x-llmproxy-warning'] = headerText(warnings.join('; '));
    }
    return headers;
  }

  /**
   * Reserves more for a stream that has exceeded the estimate.
   * @param output tokens so far, approximately
   * @returns the limit that has no room left
   */
  grow(output: number): Limit | undefined {
    const { clock, ledger } = this.#deps;
    const nowMs = clock.now();
    for (const [index, { charge }] of this.#reservation.standings.entries()) {
      if (!cuts(charge)) continue;
      const missing = this.#amountOf(charge, output) - this.#reservation.held[index]!;
      if (missing <= 0) continue;
      const ahead = this.#amountOf(charge, output + STEP) - this.#reservation.held[index]!;
      if (ledger.extend(this.#reservation, index, ahead, nowMs)) continue;
      if (ledger.extend(this.#reservation, index, missing, nowMs)) continue;
      this.#deps.refused(charge.limit);
      return charge.limit;
    }
    return undefined;
  }

  /**
   * Whether it has a place under a limit that a session keeps when it goes on.
   * @param charge what the session will take of the limit
   * @param sameAmounts whether the limits have not changed; a place under a higher limit has to be obtained again
   */
  keeps({ limit, meter, most }: Charge, sameAmounts: boolean): boolean {
    return this.#reservation.standings.some(
      ({ charge }, index) =>
        limit.kind === 'concurrent' &&
        charge.meter === meter &&
        this.#reservation.held[index]! > 0 &&
        (sameAmounts || charge.most <= most),
    );
  }

  /** Whether a session goes on under limits on concurrency in which it has no place. */
  get lacksPlace(): boolean {
    return this.#lacking.length > 0;
  }

  /** Obtains these places if they are counted elsewhere. @returns what to wait for, as `Ledger.ask` does */
  askForPlaces(tries: number): Promise<boolean> | undefined {
    const { clock, ledger } = this.#deps;
    if (this.#settled || !ledger.ask) return undefined;
    const charges = this.#lacking.map(({ charge }) => ({ ...charge, amount: 1, known: 1 }));
    return ledger.ask(charges, clock.now(), tries);
  }

  /** Takes these places. @returns the limit that has no room for it */
  takePlaces(): Limit | undefined {
    if (this.#settled) return undefined;
    const { clock, ledger } = this.#deps;
    const full = this.#lacking.find(({ index }) => !ledger.extend(this.#reservation, index, 1, clock.now()));
    return full?.charge.limit;
  }

  get #lacking(): { readonly charge: Charge; readonly index: number }[] {
    const { standings, held } = this.#reservation;
    return standings
      .map(({ charge }, index) => ({ charge, index }))
      .filter(({ charge, index }) => charge.limit.kind === 'concurrent' && held[index] === 0);
  }

  /**
   * Reserves what a session has used so far, what it is expected to use for what it has asked for, and some more to go on
   * with.
   * @returns the limit that has no room left; if there are several, one that cuts it off
   */
  reach(spent: Spending, ahead: Spending): Limit | undefined {
    const { clock, ledger } = this.#deps;
    const nowMs = clock.now();
    let empty = this.takePlaces();
    for (const [index, { charge }] of this.#reservation.standings.entries()) {
      const { limit, lenient } = charge;
      if (limit.kind !== 'tokens' && limit.kind !== 'budget') continue;
      const used = this.#spentOf(limit, spent);
      const over = used - this.#reservation.held[index]!;
      if (over > 0) ledger.extend(this.#reservation, index, over, nowMs, true);
      const more = used + this.#spentOf(limit, ahead) - this.#reservation.held[index]!;
      if (more < 0 || lenient || ledger.extend(this.#reservation, index, more + 1, nowMs)) continue;
      if (empty === undefined || (limit.hard && !empty.hard)) empty = limit;
    }
    return empty;
  }

  /** Counts a refusal by a limit within a session. */
  refused(limit: Limit): void {
    this.#deps.refused(limit);
  }

  /** Settles it: usage stays counted, the rest is released. Later calls do nothing. */
  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    const { clock, ledger } = this.#deps;
    const amounts: number[] = [];
    const { standings } = this.#reservation;
    for (let index = 0; index < standings.length; index += 1)
      amounts.push(this.#used(standings[index]!.charge, outcome, index));
    ledger.settle(this.#reservation, amounts, clock.now());
  }

  #spentOf(limit: Limit, { input, output, usd }: Spending): number {
    if (limit.kind === 'tokens') return tokensOf(limit, { input, output });
    return unitsOf(usd ?? priceOf(this.#terms.unpriced, input, output));
  }

  #amountOf({ limit }: Charge, output: number): number {
    const { reckoning, asking, unpriced } = this.#terms;
    const { input } = reckoning.expected;
    if (limit.kind === 'tokens') return tokensOf(limit, { input, output });
    return unitsOf(asking.price(input, output) ?? priceOf(unpriced, input, output));
  }

  #used({ limit }: Charge, { sent, answered, input, output, usd }: Outcome, index: number): number {
    const { asking, unpriced, carried } = this.#terms;
    if (!sent || !covers(limit, asking, answered)) return 0;
    switch (limit.kind) {
      case 'requests':
        return carried ? this.#reservation.held[index]! : 1;
      case 'concurrent':
        return 0;
      case 'tokens':
        return tokensOf(limit, { input, output });
      case 'budget':
        return unitsOf(usd ?? priceOf(unpriced, input, output));
    }
  }
}

/** Whether a limit counts an answer. If the request names several models, it is not known which of them gave it. */
function covers(limit: Limit, { model, others }: Asking, answered: Outcome['answered']): boolean {
  if (limit.allModels || limit.coversModel(model) || answered().some(limit.coversModel)) return true;
  return others?.().some(limit.coversModel) ?? false;
}

/** The share of a budget above which the operator is warned, even if its callers are not. */
const BUDGET_TOLD_AT = 0.8;

/** Whether the operator is to be warned: for every limit with a warning, and for every budget. */
export function isWorthTelling({ charge: { limit, most }, taken }: Standing): boolean {
  const at = limit.warnAt ?? (limit.kind === 'budget' ? BUDGET_TOLD_AT : undefined);
  return at !== undefined && taken >= at * most;
}

function isNearlyUsedUp({ charge: { limit, most }, taken }: Standing): boolean {
  return limit.warnAt !== undefined && taken >= limit.warnAt * most;
}

/** Whether a charge cuts off a stream. */
function cuts({ limit, lenient }: Charge): boolean {
  return limit.hard && !lenient && (limit.kind === 'tokens' || limit.kind === 'budget');
}

/** "81% taken of 50 USD per month of group acme (40.50 USD of 50.00 USD)": used, or held by running requests. */
export function warningOf({ charge: { limit, most }, taken }: Standing): string {
  const percent = most === 0 ? 100 : Math.floor((taken / most) * 100);
  return `${percent}% taken of ${limit.name} (${shown(limit, taken)} of ${shown(limit, most)})`;
}
