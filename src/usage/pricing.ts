/** Reprices logged requests with the current configuration and price table. */
import type { Config } from '../config/schema.ts';
import type { DatedPrice, Price } from '../config/schema/prices.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Usage } from '../wire/usage.ts';
import { globMatcher, isGlob } from '../config/globs.ts';
import { PRESETS, presetOf } from '../config/presets.ts';
import { isRegional, priceVendor } from '../config/price-vendor.ts';
import { Prices } from '../providers/prices.ts';
import { decodeIterations } from '../wire/iterations.ts';
import { countOf, objectOf, stringOf } from '../wire/json.ts';
import { UNKNOWN_USAGE } from '../wire/usage.ts';
import { costOf } from '../wire/reported-cost.ts';
import { decodeTiers } from '../wire/reported-tiers.ts';
import { decodeUnits } from '../wire/units.ts';

/** The parts of the configuration that determine prices: plain data that can be sent to another thread. */
export interface PriceSetup {
  readonly overrides: readonly DatedPrice[];
  readonly providers: readonly PricedProvider[];
}

interface PricedProvider {
  readonly name: string;
  /** The id in the price table. */
  readonly vendor: string | undefined;
  readonly isRegional: boolean;
  /** Models with a price of their own. */
  readonly models: readonly { readonly name: string; readonly upstream?: string; readonly price: Price }[];
}

export function priceSetup({ prices, providers }: Pick<Config, 'prices' | 'providers'>): PriceSetup {
  return {
    overrides: prices,
    providers: providers.map(({ name, type, base_url: baseUrl, region, models = [] }) => ({
      name,
      vendor: priceVendor(type, baseUrl),
      isRegional: isRegional(type, baseUrl, region),
      models: models.flatMap((model) => {
        if (typeof model === 'string' || !model.price) return [];
        const { name: called, upstream, price } = model;
        return [{ name: called, price, ...(upstream === undefined ? {} : { upstream }) }];
      }),
    })),
  };
}

/** The id of a provider's vendor in the price table: by its type, or by its name if it is no longer configured. */
export function vendorOf({ providers }: PriceSetup, name: string): string | undefined {
  const known = providers.find((provider) => provider.name === name);
  if (known) return known.vendor;
  return Object.hasOwn(PRESETS, name) ? presetOf(name as keyof typeof PRESETS).prices : undefined;
}

interface Whose {
  readonly vendor: string | undefined;
  readonly isRegional: boolean;
  readonly configured: Price | undefined;
}

/** The number of cached targets. */
const MAX_REMEMBERED = 1_000;

/** The costs of logged requests. */
export class Repricer {
  readonly #setup: PriceSetup;
  readonly #prices: Prices;
  readonly #whose = new Map<string, Whose>();

  private constructor(setup: PriceSetup, prices: Prices) {
    this.#setup = setup;
    this.#prices = prices;
  }

  /** Must be called with the table loaded. */
  static async load(setup: PriceSetup): Promise<Repricer> {
    const prices = new Prices(setup.overrides);
    await prices.load();
    return new Repricer(setup, prices);
  }

  /** @returns USD, or `null` when there is no price */
  cost({ provider, upstream_model, model }: JsonObject, usage: Usage, atMs: number): number | null {
    if (typeof provider !== 'string' || typeof upstream_model !== 'string') return null;
    const whose = this.#whoseOf(provider, upstream_model, stringOf(model) ?? '');
    return this.#prices.cost({ provider, model: upstream_model, ...whose }, usage, atMs);
  }

  #whoseOf(provider: string, upstream: string, requested: string): Whose {
    const key = `${provider}/${upstream}/${requested}`;
    let whose = this.#whose.get(key);
    if (!whose) {
      const vendor = vendorOf(this.#setup, provider);
      const regional = this.#setup.providers.some(({ name, isRegional: is }) => is && name === provider);
      whose = {
        vendor,
        isRegional: regional,
        configured: ownPrice(this.#setup, provider, [requested, upstream]),
      };
      if (this.#whose.size >= MAX_REMEMBERED) this.#whose.clear();
      this.#whose.set(key, whose);
    }
    return whose;
  }
}

/**
 * The model's own price: an exact name takes precedence over a pattern, and the client's name over the upstream name.
 */
function ownPrice({ providers }: PriceSetup, name: string, models: readonly string[]): Price | undefined {
  const offers = providers.find((provider) => provider.name === name)?.models ?? [];
  const exact = offers.find((offer) => models.some((model) => [offer.name, offer.upstream].includes(model)));
  const pattern = offers.findLast(
    (offer) => isGlob(offer.name) && models.some((model) => globMatcher(offer.name)(model)),
  );
  return (exact ?? pattern)?.price;
}

/** The usage in the head of a record; `undefined` if it has none. */
export function usageOf(head: JsonObject): Usage | undefined {
  const input = countOf(head.input_tokens);
  const output = countOf(head.output_tokens);
  const units = decodeUnits(head.units);
  if (input === undefined && output === undefined)
    return Object.keys(objectOf(head.units)).length > 0 ? { ...UNKNOWN_USAGE, ...units } : undefined;
  return {
    input: input ?? 0,
    cached: countOf(head.cached_tokens) ?? 0,
    cacheWrite: countOf(head.cache_write_tokens) ?? 0,
    output: output ?? 0,
    reasoning: countOf(head.reasoning_tokens) ?? 0,
    ...units,
    ...decodeIterations(head.iterations),
    ...decodeTiers(head.tiers),
    ...costOf(head.reported_cost),
  };
}
