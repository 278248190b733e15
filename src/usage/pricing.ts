/** Prices the requests of the log again, by the configuration and the table of today. */
import type { Config } from '../config/schema.ts';
import type { DatedPrice, Price } from '../config/price-schema.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Usage } from '../wire/usage.ts';
import { globMatcher, isGlob } from '../config/globs.ts';
import { PRESETS, presetOf } from '../config/presets.ts';
import { Prices } from '../providers/prices.ts';
import { countOf, objectOf, stringOf } from '../wire/json.ts';
import { decodeUnits, UNTOLD } from '../wire/usage.ts';

/** What of the configuration prices go by: plain data, so that it can go to another thread. */
export interface PriceSetup {
  readonly overrides: readonly DatedPrice[];
  readonly providers: readonly PricedProvider[];
}

interface PricedProvider {
  readonly name: string;
  /** Id in the price table. */
  readonly vendor: string | undefined;
  /** Models with a price of their own. */
  readonly models: readonly { readonly name: string; readonly upstream?: string; readonly price: Price }[];
}

export function priceSetup({ prices, providers }: Pick<Config, 'prices' | 'providers'>): PriceSetup {
  return {
    overrides: prices,
    providers: providers.map(({ name, type, models = [] }) => ({
      name,
      vendor: presetOf(type).prices,
      models: models.flatMap((model) => {
        if (typeof model === 'string' || !model.price) return [];
        const { name: called, upstream, price } = model;
        return [{ name: called, price, ...(upstream === undefined ? {} : { upstream }) }];
      }),
    })),
  };
}

/** The vendor of a provider in the price table: by its type, or by its name where the configuration knows it no more. */
export function vendorOf({ providers }: PriceSetup, name: string): string | undefined {
  const known = providers.find((provider) => provider.name === name);
  if (known) return known.vendor;
  return Object.hasOwn(PRESETS, name) ? presetOf(name as keyof typeof PRESETS).prices : undefined;
}

interface Whose {
  readonly vendor: string | undefined;
  readonly configured: Price | undefined;
}

/** Targets that are remembered. */
const MAX_REMEMBERED = 1_000;

/** What the requests of a log cost. */
export class Repricer {
  readonly #setup: PriceSetup;
  readonly #prices: Prices;
  readonly #whose = new Map<string, Whose>();

  private constructor(setup: PriceSetup, prices: Prices) {
    this.#setup = setup;
    this.#prices = prices;
  }

  /** With the table loaded. */
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

  #whoseOf(provider: string, upstream: string, asked: string): Whose {
    const key = `${provider}/${upstream}/${asked}`;
    let whose = this.#whose.get(key);
    if (!whose) {
      const vendor = vendorOf(this.#setup, provider);
      whose = { vendor, configured: ownPrice(this.#setup, provider, [asked, upstream]) };
      if (this.#whose.size >= MAX_REMEMBERED) this.#whose.clear();
      this.#whose.set(key, whose);
    }
    return whose;
  }
}

/** The model's own price: of its exact name before a pattern's, and by what the client asked for before what the provider was. */
function ownPrice({ providers }: PriceSetup, name: string, models: readonly string[]): Price | undefined {
  const offers = providers.find((provider) => provider.name === name)?.models ?? [];
  const exact = offers.find((offer) => models.some((model) => [offer.name, offer.upstream].includes(model)));
  const pattern = offers.findLast(
    (offer) => isGlob(offer.name) && models.some((model) => globMatcher(offer.name)(model)),
  );
  return (exact ?? pattern)?.price;
}

/** What the head of a record says of its usage; `undefined` where it says nothing. */
export function usageOf(head: JsonObject): Usage | undefined {
  const input = countOf(head.input_tokens);
  const output = countOf(head.output_tokens);
  const units = decodeUnits(head.units);
  if (input === undefined && output === undefined)
    return Object.keys(objectOf(head.units)).length > 0 ? { ...UNTOLD, ...units } : undefined;
  return {
    input: input ?? 0,
    cached: countOf(head.cached_tokens) ?? 0,
    cacheWrite: countOf(head.cache_write_tokens) ?? 0,
    output: output ?? 0,
    reasoning: countOf(head.reasoning_tokens) ?? 0,
    ...units,
  };
}
