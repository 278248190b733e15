import type { DatedPrice, Price } from '../config/schema/prices.ts';
import type { Iteration } from '../wire/iterations.ts';
import type { Usage } from '../wire/usage.ts';
import { globMatcher } from '../config/globs.ts';
import { withoutIterations } from '../wire/iterations.ts';
import { plainModel } from '../wire/model-variants.ts';
import { UNITS_WITH_FEES } from '../wire/units.ts';
import { feesFor } from './fees.ts';
import { isPlain, PriceTable } from './price-table.ts';
import { regionFactor, tierFactor } from './tier-prices.ts';

/** The model whose price is looked up. */
export interface Priced {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** The provider's id in the price table; `undefined` when it has none. */
  readonly vendor: string | undefined;
  /** Whether requests are processed in one region, which may cost more. */
  readonly isRegional?: boolean;
  /** The upstream name of the model. */
  readonly model: string;
  /** The model's own price in the configuration. */
  readonly configured: Price | undefined;
}

/** What the price of a provider's models depends on. */
export function pricedAt({
  name,
  settings,
}: {
  readonly name: string;
  readonly settings: { readonly prices: string | undefined; readonly isRegional: boolean };
}): Pick<Priced, 'provider' | 'vendor' | 'isRegional'> {
  return { provider: name, vendor: settings.prices, isRegional: settings.isRegional };
}

interface Override {
  readonly price: DatedPrice;
  readonly matches: (of: Priced) => boolean;
}

/** The vendors, by their ids in the table, that report what an answer costs. */
const REPORTING: ReadonlySet<string | undefined> = new Set(['openrouter', 'perplexity', 'x-ai']);

/** The number of models whose configured prices are cached. */
const MAX_REMEMBERED = 1_000;

/**
 * The cost of answers. A model's own price in the configuration takes precedence, then the first entry in the
 * configuration's `prices` that matches model, provider and time, then what the provider reports, then the built-in
 * table. An answer to which none of them applies has no price; none is guessed.
 */
export class Prices {
  readonly #table: PriceTable;
  readonly #overrides: readonly Override[];
  readonly #fitting = new Map<string, readonly DatedPrice[]>();

  /** @param table may be shared; it outlives a configuration */
  constructor(overrides: readonly DatedPrice[] = [], table = new PriceTable()) {
    this.#table = table;
    this.#overrides = overrides.map((price) => {
      const fitsModel = globMatcher(price.model);
      const fitsProvider = price.provider === undefined ? undefined : globMatcher(price.provider);
      const matches = ({ model, provider }: Priced) => fitsModel(model) && (fitsProvider?.(provider) ?? true);
      return { price, matches };
    });
  }

  /** Loads the table once, after start-up, which takes about 40 ms; until then only configured prices are known. */
  load(): Promise<void> {
    return this.#table.load();
  }

  /** The pending load; `undefined` once it is done. */
  pending(): Promise<void> | undefined {
    return this.#table.pending();
  }

  /**
   * The cost of an answer, or of an estimate, which has the form of a usage as well. It takes a microsecond or two, and
   * about ten if prices have tiers or change over time.
   * @param atMs the time of the request, milliseconds since 1970
   * @returns USD, or `null` when the price is unknown
   */
  cost(of: Priced, usage: Usage, atMs: number): number | null {
    const { iterations, usd } = usage;
    const own = of.configured ?? this.#override(of, atMs);
    const reported = own || !REPORTING.has(of.vendor) ? undefined : usd;
    // What is reported covers all iterations. Nothing is free because a report says so.
    if (reported !== undefined && reported > 0) return rounded(reported);
    if (iterations) return this.#costOfIterations(of, usage, iterations, atMs);
    if (own) return rounded(costByPrice(own, usage));
    return this.#listed(of, usage, atMs) ?? reported ?? null;
  }

  /** The cost by the built-in table. */
  #listed({ vendor, model, isRegional = false }: Priced, usage: Usage, atMs: number): number | null {
    if (vendor === undefined) return null;
    const place = isRegional ? regionFactor(vendor, model) : 1;
    const usd = this.#tableCost(vendor, model, usage, atMs, place);
    const plain = usd === null && vendor === 'openrouter' ? pricedAs(model) : undefined;
    return rounded(plain === undefined ? usd : this.#tableCost(vendor, plain, usage, atMs, place));
  }

  /** Each at the price of its model; without one, at that of the model that answered. */
  #costOfIterations(of: Priced, usage: Usage, iterations: readonly Iteration[], atMs: number): number | null {
    let sum = this.cost(of, withoutIterations(usage), atMs);
    for (const { model, usage: its } of iterations) {
      const named = model === undefined || model === of.model ? of : { ...of, model, configured: undefined };
      const tiered = usage.tiers ? { ...its, tiers: usage.tiers } : its;
      const usd = this.cost(named, tiered, atMs) ?? this.cost(of, tiered, atMs);
      sum = sum === null || usd === null ? null : sum + usd;
    }
    return rounded(sum);
  }

  /** The factors of service tiers and of the place apply to tokens, and not to fees. */
  #tableCost(vendor: string, model: string, usage: Usage, atMs: number, place: number): number | null {
    const { usd: fees, rest } = feesFor(vendor, model, usage);
    const listed = this.#table.cost(vendor, model, rest, atMs);
    // Rankings may have no other price.
    if (listed === null) return usage.rerankSearches !== undefined && fees > 0 ? fees : null;
    const factor = place * (usage.tiers === undefined ? 1 : tierFactor(vendor, model, usage));
    if (factor === 1) return listed + fees;
    const { webSearches, fileSearches, ...withoutSearches } = rest;
    const searched = webSearches !== undefined || fileSearches !== undefined;
    const tokens = searched ? this.#table.cost(vendor, model, withoutSearches, atMs)! : listed;
    return listed + fees + (factor - 1) * tokens;
  }

  /** The context window from the table, tokens; `undefined` when the model is missing. */
  contextWindow(vendor: string | undefined, model: string): number | undefined {
    return vendor === undefined ? undefined : this.#table.contextWindow(vendor, model);
  }

  #override(of: Priced, atMs: number): DatedPrice | undefined {
    if (this.#overrides.length === 0) return undefined;
    const key = `${of.provider}/${of.model}`;
    let fitting = this.#fitting.get(key);
    if (!fitting) {
      fitting = this.#overrides.filter(({ matches }) => matches(of)).map(({ price }) => price);
      if (this.#fitting.size >= MAX_REMEMBERED) this.#fitting.clear();
      this.#fitting.set(key, fitting);
    }
    return fitting.find(({ from = -Infinity, until = Infinity }) => from <= atMs && atMs < until);
  }
}

/** Sums of binary fractions have rounding errors; ten digits suffice. */
function rounded(usd: number | null): number | null {
  return usd === null ? null : Math.round(usd * 1e10) / 1e10;
}

/** The model at whose price OpenRouter charges a variant that has none of its own; those that are free have. */
function pricedAs(model: string): string | undefined {
  return model.includes(':free') ? undefined : plainModel(model);
}

/**
 * The cost of an answer at a configured price.
 * @returns USD, or `null` when the price does not cover what is known about the answer
 */
function costByPrice(price: Price, usage: Usage): number | null {
  const { request, image, minute, characters, search, file_search: fileSearch } = price;
  const { images = 0, seconds = 0, characters: spokenCharacters = 0 } = usage;
  const { webSearches = 0, fileSearches = 0 } = usage;
  const other =
    (request ?? 0) +
    images * (image ?? 0) +
    (seconds / 60) * (minute ?? 0) +
    (spokenCharacters / 1e6) * (characters ?? 0) +
    webSearches * (search ?? 0) +
    fileSearches * (fileSearch ?? 0) +
    feesByPrice(price, usage);
  if (!usage.untold) {
    const factor = (usage.tiers ?? []).reduce((product, tier) => product * (price.tiers?.[tier] ?? 1), 1);
    return other + factor * tokensCost(price, usage);
  }
  const counts =
    request !== undefined ||
    (images > 0 && image !== undefined) ||
    (usage.rerankSearches !== undefined && price.fees?.rerank_searches !== undefined) ||
    (seconds > 0 && minute !== undefined) ||
    (spokenCharacters > 0 && characters !== undefined);
  return counts ? other : null;
}

function feesByPrice({ fees }: Price, usage: Usage): number {
  if (!fees) return 0;
  let usd = 0;
  for (const [name, unit] of UNITS_WITH_FEES) usd += (fees[name] ?? 0) * (usage[unit] ?? 0);
  return usd;
}

function tokensCost(price: Price, usage: Usage): number {
  const { input = 0, output = 0 } = price;
  if (isPlain(usage) && usage.cached + usage.cacheWrite + usage.reasoning === 0)
    return (usage.input * input + usage.output * output) / 1e6;
  const { cached = input, cache_write = input, reasoning = output } = price;
  const { cache_write_1h = cache_write, cached_audio = cached, cached_image = cached } = price;
  const { input_audio = input, output_audio = output, input_image = input, output_image = output } = price;
  const { inputAudio = 0, inputImage = 0, outputAudio = 0, outputImage = 0, cacheWrite1h = 0 } = usage;
  const cachedAudio = Math.min(usage.cachedAudio ?? 0, usage.cached, inputAudio);
  const cachedImage = Math.min(usage.cachedImage ?? 0, usage.cached - cachedAudio, inputImage);
  const cachedText = usage.cached - cachedAudio - cachedImage;
  const plainIn = Math.max(0, usage.input - cachedText - usage.cacheWrite - inputAudio - inputImage);
  const thought = Math.min(usage.reasoning, Math.max(0, usage.output - outputAudio - outputImage));
  const plainOut = Math.max(0, usage.output - thought - outputAudio - outputImage);
  const millionths =
    plainIn * input +
    cachedText * cached +
    cachedAudio * cached_audio +
    (usage.cacheWrite - cacheWrite1h) * cache_write +
    cacheWrite1h * cache_write_1h +
    cachedImage * cached_image +
    (inputAudio - cachedAudio) * input_audio +
    (inputImage - cachedImage) * input_image +
    plainOut * output +
    thought * reasoning +
    outputAudio * output_audio +
    outputImage * output_image;
  return millionths / 1e6;
}
