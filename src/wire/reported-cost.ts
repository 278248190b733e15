import type { JsonObject } from './json.ts';
import { isObject, numberOf, objectOf } from './json.ts';

export interface Costed {
  /** What the provider says that the answer costs, USD. */
  readonly usd?: number;
}

/** More than an answer costs, USD: such a report is not believed. */
const MOST_USD = 10_000;

/** The fractions of a dollar in which xAI counts. @see https://docs.x.ai/docs/cost-tracking */
const TICKS_PER_USD = 1e10;

/** The cost in a usage of OpenRouter, Perplexity or xAI; nothing if there is none. */
export function reportedCost(usage: JsonObject): Costed {
  const { cost, cost_in_usd_ticks: ticks } = usage;
  const inTicks = numberOf(ticks);
  const usd = inTicks === undefined ? costIn(cost, usage) : inTicks / TICKS_PER_USD;
  return usd === undefined ? {} : costOf(usd);
}

/** Reads a cost from the request log. */
export function costOf(value: unknown): Costed {
  const usd = numberOf(value);
  return usd === undefined || usd < 0 || usd > MOST_USD ? {} : { usd };
}

function costIn(cost: unknown, { is_byok: isOwnKey, cost_details: details }: JsonObject): number | undefined {
  // Perplexity lists the parts of a sum.
  if (isObject(cost)) return numberOf(cost.total_cost);
  const charged = numberOf(cost);
  if (charged === undefined || isOwnKey !== true) return charged;
  // With a key of another vendor, OpenRouter charges a fee, and the vendor the rest.
  const elsewhere = numberOf(objectOf(details).upstream_inference_cost);
  return elsewhere === undefined ? undefined : charged + elsewhere;
}
