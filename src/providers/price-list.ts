import type { Provider } from '@pydantic/genai-prices';
import { corrected } from './price-corrections.ts';
import lines from './price-list.jsonl' with { type: 'text' };

type Model = Provider['models'][number];

/** A vendor in the price list. */
export interface ListedVendor {
  readonly id: string;
  /** A regular expression that matches the addresses of its API. */
  readonly addresses: string;
  /** The ids of the vendors whose models it has at the same prices, as far as they are not among its own. */
  readonly resells: readonly string[];
  readonly models: Model[];
}

/** A line of the list: a vendor, or one of its models. */
type Line = { readonly vendor: string } & (Model | Vendor);

interface Vendor {
  readonly api_pattern: string;
  readonly resells?: readonly string[];
}

/**
 * The vendors of the price list by their ids, corrected. `scripts/price-list.ts` writes the list: the data of
 * genai-prices, which are newer than those in its package for JavaScript.
 */
export function listedVendors(): ReadonlyMap<string, ListedVendor> {
  const vendors = new Map<string, ListedVendor>();
  for (const text of lines.trimEnd().split('\n')) {
    const { vendor: id, ...line } = JSON.parse(text) as Line;
    if ('prices' in line) vendors.get(id)!.models.push(line);
    else vendors.set(id, { id, addresses: line.api_pattern, resells: line.resells ?? [], models: [] });
  }
  for (const [id, { models }] of vendors) models.splice(0, models.length, ...corrected(id, models));
  return vendors;
}
