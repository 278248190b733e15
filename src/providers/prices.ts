import type { calcPrice } from '@pydantic/genai-prices';
import type { Price } from '../config/schema.ts';
import type { Usage } from '../wire/usage.ts';

/** USD per token. */
interface Rates {
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

type Calculate = typeof calcPrice;

/** Models whose rates are remembered; looking one up in the table takes tens of microseconds. */
const MAX_REMEMBERED = 1_000;

/**
 * What answers cost. The table is @pydantic/genai-prices, as dated as the release; a price in the configuration
 * goes before it. A model in neither has no price, and no guess is made.
 */
export class Prices {
  readonly #rates = new Map<string, Rates | 'by_table' | null>();
  #calculate: Calculate | undefined;
  #loaded: Promise<void> | undefined;

  /** Loads the table, once; until then only configured prices are known. It takes some 40 ms, after start-up. */
  load(): Promise<void> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** The load to wait for; `undefined` once it is done. */
  pending(): Promise<void> | undefined {
    return this.#calculate ? undefined : this.load();
  }

  async #load(): Promise<void> {
    const table = await import('@pydantic/genai-prices');
    this.#calculate = table.calcPrice;
  }

  /**
   * @param vendor the provider's id in the table, or `undefined` when it is not there
   * @returns USD, or `null` when the price is not known
   */
  cost(
    vendor: string | undefined,
    model: string,
    usage: Usage,
    configured: Price | undefined,
  ): number | null {
    if (configured) return configuredCost(configured, usage);
    if (vendor === undefined || !this.#calculate) return null;
    const key = `${vendor}/${model}`;
    let rates = this.#rates.get(key);
    if (rates === undefined) {
      rates = this.#lookUp(vendor, model);
      if (this.#rates.size >= MAX_REMEMBERED) this.#rates.clear();
      this.#rates.set(key, rates);
    }
    if (rates === null) return null;
    if (rates === 'by_table')
      return this.#calculate(tableUsage(usage), model, { providerId: vendor })?.total_price ?? null;
    return multiply(rates, usage);
  }

  /** Tokens a model takes by the table; `undefined` when it is not there. */
  contextWindow(vendor: string | undefined, model: string): number | undefined {
    if (vendor === undefined || !this.#calculate) return undefined;
    const found = this.#calculate({ input_tokens: 0, output_tokens: 0 }, model, { providerId: vendor });
    return found?.model.context_window;
  }

  /** Flat prices become rates; tiers and prices that change with the time of day are left to the table. */
  #lookUp(vendor: string, model: string): Rates | 'by_table' | null {
    const found = this.#calculate!({ input_tokens: 0, output_tokens: 0 }, model, { providerId: vendor });
    if (!found) return null;
    const {
      input_mtok,
      output_mtok,
      cache_read_mtok = input_mtok,
      cache_write_mtok = input_mtok,
    } = found.model_price;
    const flat = [input_mtok, output_mtok, cache_read_mtok, cache_write_mtok];
    if (Array.isArray(found.model.prices) || !flat.every((price) => typeof price === 'number'))
      return 'by_table';
    const [input, output, cached, cacheWrite] = flat.map((price) => (price as number) / 1e6);
    return { input: input!, output: output!, cached: cached!, cacheWrite: cacheWrite! };
  }
}

function configuredCost({ input, output, cached = input, cache_write = input }: Price, usage: Usage): number {
  const rates = {
    input: input / 1e6,
    output: output / 1e6,
    cached: cached / 1e6,
    cacheWrite: cache_write / 1e6,
  };
  return multiply(rates, usage);
}

function multiply(rates: Rates, usage: Usage): number {
  const plain = Math.max(0, usage.input - usage.cached - usage.cacheWrite);
  const usd =
    plain * rates.input +
    usage.cached * rates.cached +
    usage.cacheWrite * rates.cacheWrite +
    usage.output * rates.output;
  // Sums of binary fractions end in noise; ten digits are enough.
  return Math.round(usd * 1e10) / 1e10;
}

function tableUsage(usage: Usage): Parameters<Calculate>[0] {
  return {
    // The table refuses usage of which more came from a cache than there was.
    input_tokens: Math.max(usage.input, usage.cached + usage.cacheWrite),
    cache_read_tokens: usage.cached,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
  };
}
