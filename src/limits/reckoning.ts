/** What a request is expected to use, and what it takes of each limit therefore. */
import type { Unpriced } from '../config/schema/groups.ts';
import type { Asking, Expected } from './asking.ts';
import type { Charge } from './ledger.ts';
import type { Applying, Planned } from './plan.ts';
import { ProxyError } from '../errors.ts';
import { priceOf, tokensOf, unitsOf } from './limit.ts';
import { mostNow } from './plan.ts';

/** The estimated usage of a request. */
export interface Reckoning {
  readonly expected: Expected;
  /** Units of money. */
  readonly units: number;
  /** The part of it that is known in advance. */
  readonly knownUnits: number;
}

export const NOTHING: Reckoning = {
  expected: { input: 0, output: 0, bounded: true },
  units: 0,
  knownUnits: 0,
};

/** The estimated usage of a request, as far as its limits need it. @throws ProxyError `not_permitted` */
export function reckoned(
  asking: Asking,
  { countsMoney, countsTokens }: Applying,
  unpriced: Unpriced,
): Reckoning {
  if (!countsMoney && !countsTokens) return NOTHING;
  const expected = asking.expected();
  const { input, output, bounded } = expected;
  if (!countsMoney) return { expected, units: 0, knownUnits: 0 };
  const units = unitsFor(asking, unpriced, input, output);
  return { expected, units, knownUnits: bounded ? units : unitsFor(asking, unpriced, input, 0) };
}

function unitsFor(asking: Asking, unpriced: Unpriced, input: number, output: number): number {
  const usd = asking.price(input, output) ?? 0;
  if (unpriced === 'allow' || asking.allPriced()) return unitsOf(usd);
  if (unpriced !== 'refuse') return unitsOf(Math.max(usd, priceOf(unpriced, input, output)));
  throw new ProxyError(
    'not_permitted',
    `Cannot use model "${asking.model}": its price is unknown, and a budget applies that allows priced models only`,
    { param: 'model' },
  );
}

/**
 * Refuses requests that would evade a limit because they cannot be counted. The default that models without a price are
 * allowed does not apply here: a group must allow it explicitly. @throws ProxyError `not_permitted`
 */
export function refuseUncountable(
  { endpoint }: Asking,
  limits: readonly Planned[],
  unpriced: Unpriced,
): void {
  if (unpriced !== 'refuse') return;
  const counting = limits.find(
    ({ limit }) => (limit.kind === 'tokens' || limit.kind === 'budget') && limit.coversEndpoint(endpoint),
  );
  if (!counting) return;
  throw new ProxyError(
    'not_permitted',
    `Cannot use the endpoint ${endpoint}: its cost cannot be determined, and ${counting.limit.name} applies; ask the operator for \`unpriced: allow\` in the group, or for a limit that does not cover it`,
  );
}

/** What a request takes of one limit. */
export function chargeOf(
  planned: Planned,
  meter: string,
  { expected, units, knownUnits }: Reckoning,
  { nowMs, lenient }: { readonly nowMs: number; readonly lenient: boolean },
): Charge {
  const { limit, raises } = planned;
  let amount = 1;
  let known = 1;
  if (limit.kind === 'tokens') {
    const { input, bounded } = expected;
    // Unknown usage counts as something: a limit that is used up refuses only what needs room.
    amount = Math.max(tokensOf(limit, expected), bounded ? 0 : 1);
    known = bounded ? amount : tokensOf(limit, { input, output: 0 });
  } else if (limit.kind === 'budget') {
    amount = units;
    known = knownUnits;
  }
  const most = raises.length === 0 ? limit.most : mostNow(planned, nowMs);
  return { limit, meter, most, amount, known, lenient };
}
