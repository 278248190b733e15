import type { Refusal } from './ledger.ts';
import type { Limit } from './limit.ts';
import { ProxyError } from '../errors.ts';
import { limitHeaders } from './headers.ts';
import { span } from './span.ts';
import { UNITS_PER_USD } from './limit.ts';

/** The Retry-After if room becomes free as soon as another request ends. */
const SOON_MS = 1_000;

/** SDKs retry by themselves, which is useless if the wait is longer than this, milliseconds. */
const WORTH_WAITING_MS = 60_000;

/** Tells SDKs not to retry by themselves. @see https://github.com/openai/openai-node */
const FINAL = { 'x-should-retry': 'false' };

/** A refusal as an error for the caller: which limit it is, and when it has room. */
export function overLimit({ standing, freeMs }: Refusal, nowMs: number, messages: boolean): ProxyError {
  const { charge, taken } = standing;
  const { limit, most, known } = charge;
  const fault = limit.kind === 'budget' ? 'over_budget' : 'over_limit';
  const headers = limitHeaders([standing], nowMs, messages);
  if (most === 0) {
    const message = `Cannot accept the request: its limit is ${limit.name}; ask the operator`;
    return new ProxyError(fault, message, { headers: { ...headers, ...FINAL } });
  }
  if (known > most) {
    const message = `Cannot accept the request: it needs ${shown(limit, known)}, which is more than ${limit.name} ever allows; ask for less (a smaller max_tokens, a shorter prompt)`;
    return new ProxyError(fault, message, { headers: { ...headers, ...FINAL } });
  }
  const retryAfterMs =
    freeMs === undefined ? SOON_MS : Number.isFinite(freeMs) ? Math.max(1, freeMs - nowMs) : undefined;
  const when =
    freeMs === undefined
      ? 'it has room when a request that is under way ends'
      : retryAfterMs === undefined
        ? 'nothing is available again until it is raised'
        : `it has room in ${span(retryAfterMs)}`;
  return new ProxyError(
    fault,
    `Cannot accept the request: ${limit.name} is used up (${shown(limit, taken)} of ${shown(limit, most)} taken${needs(limit, known)}); ${when}`,
    retryAfterMs === undefined
      ? { headers: { ...headers, ...FINAL } }
      : { retryAfterMs, headers: retryAfterMs > WORTH_WAITING_MS ? { ...headers, ...FINAL } : headers },
  );
}

/** The error that ends a stream which has used up a hard limit. */
export function cutBy(limit: Limit): ProxyError {
  const fault = limit.kind === 'budget' ? 'over_budget' : 'over_limit';
  return new ProxyError(
    fault,
    `Cannot finish the answer: ${limit.name} is used up, and is set to cut off answers (hard)`,
  );
}

/** The error that prevents further requests in a session. */
export function pausedBy(limit: Limit): ProxyError {
  const fault = limit.kind === 'budget' ? 'over_budget' : 'over_limit';
  return new ProxyError(fault, `Cannot request more in this session: ${limit.name} is used up`);
}

/** An amount of a limit in words. */
export function shown({ kind, count }: Limit, amount: number): string {
  switch (kind) {
    case 'requests':
      return `${amount} requests`;
    case 'concurrent':
      return `${amount} at once`;
    case 'tokens':
      return `${amount} ${count === 'both' ? '' : `${count} `}tokens`;
    case 'budget':
      return `${usd(amount)} USD`;
  }
}

/** At least two decimals, and at least two significant digits below a dollar: "12.50", "0.015", "0.01", "0.0042". */
function usd(units: number): string {
  const amount = units / UNITS_PER_USD;
  if (amount >= 1 || amount <= 0) return amount.toFixed(2);
  const digits = 1 - Math.floor(Math.log10(amount));
  return amount.toFixed(Math.min(digits, MOST_DIGITS)).replace(/(\.\d\d+?)0+$/, '$1');
}

/** The number of decimals of a unit of money. */
const MOST_DIGITS = Math.log10(UNITS_PER_USD);

function needs(limit: Limit, known: number): string {
  if (known === 0) return '';
  return limit.kind === 'tokens' || limit.kind === 'budget' ? `, this one needs ${shown(limit, known)}` : '';
}
