import type { calcPrice, PriceCalculationResult, Provider, TieredPrices } from '@pydantic/genai-prices';
import type { Usage } from '../wire/usage.ts';
import type { ListedVendor } from './price-list.ts';
import { pricedModel } from '../config/price-vendor.ts';

type Calculate = typeof calcPrice;

type Prices = Readonly<Record<string, number | TieredPrices | undefined>>;

/** USD per million tokens of text, and per request. */
interface Rates {
  readonly input: number | TieredPrices;
  readonly cached: number | TieredPrices;
  readonly cacheWrite: number | TieredPrices;
  readonly output: number | TieredPrices;
  readonly request: number;
}

/** A model in the table. */
interface Entry {
  /** Its vendor with this model only: finding it among all of them takes tens of microseconds. */
  readonly provider: Provider;
  readonly contextWindow: number | undefined;
  /** Whether its prices change over time. */
  readonly dated: boolean;
  /** The minute since 1970 for which `rates` are valid. */
  minute: number;
  /** `undefined` if more than plain tokens always counts. */
  rates: Rates | undefined;
  /** The names of everything that has a price. */
  readonly priced: ReadonlySet<string>;
}

/** The number of cached models. */
const MAX_REMEMBERED = 1_000;

const MINUTE_MS = 60_000;

/** The prices that {@link Rates} hold. */
const PLAIN: ReadonlySet<string> = new Set([
  'input_mtok',
  'output_mtok',
  'cache_read_mtok',
  'cache_write_mtok',
  'requests_kcount',
]);

/** Units that count only if an answer reports them. */
const TOLD: ReadonlySet<string> = new Set([
  'cache_write_1h_mtok',
  'web_searches_kcount',
  'storage_searches_kcount',
  'social_searches_kcount',
  'input_audio_mtok',
  'cache_audio_read_mtok',
  'output_audio_mtok',
  'input_image_mtok',
  'cache_image_read_mtok',
  'output_image_mtok',
  'input_video_mtok',
  'output_video_mtok',
]);

/**
 * The prices of genai-prices, as current as the release. They may have tiers, a start date and times of day.
 * A model that is missing has no price; none is guessed.
 */
export class PriceTable {
  readonly #entries = new Map<string, Entry | null>();
  #calculate: Calculate | undefined;
  #vendors: ReadonlyMap<string, ListedVendor> = new Map();
  #loaded: Promise<void> | undefined;

  /** Loads the table once, which takes about 40 ms; until then nothing has a price. */
  load(): Promise<void> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** The pending load; `undefined` once it is done. */
  pending(): Promise<void> | undefined {
    return this.#calculate ? undefined : this.load();
  }

  async #load(): Promise<void> {
    const [table, list] = await Promise.all([import('@pydantic/genai-prices'), import('./price-list.ts')]);
    this.#vendors = list.listedVendors();
    this.#calculate = table.calcPrice;
  }

  /**
   * @param vendor the provider's id in the table
   * @param atMs the time of the request, milliseconds since 1970
   * @returns USD, or `null` when the table has no price
   */
  cost(vendor: string, model: string, usage: Usage, atMs: number): number | null {
    const entry = this.#entry(vendor, model);
    if (!entry) return null;
    if (usage.untold && !countsUnreported(entry, usage)) return null;
    const rates = isPlain(usage) ? this.#rates(entry, model, atMs) : undefined;
    if (rates) return multiply(rates, usage);
    const { provider } = entry;
    const found = this.#calculate!(tableUsage(usage), model, { provider, timestamp: new Date(atMs) });
    const usd = found?.total_price ?? null;
    // Tokens are not free because only other units have a price.
    return usd === 0 && usage.input + usage.output > 0 && !pricesTokens(entry) ? null : usd;
  }

  /** Prices that depend on the time of day change at full minutes. */
  #rates(entry: Entry, model: string, atMs: number): Rates | undefined {
    const minute = Math.floor(atMs / MINUTE_MS);
    if (entry.dated && entry.minute !== minute) {
      const { provider } = entry;
      entry.minute = minute;
      const found = this.#calculate!({}, model, { provider, timestamp: new Date(atMs) });
      entry.rates = found ? ratesOf(found.model_price) : undefined;
    }
    return entry.rates;
  }

  /** The context window of a model in tokens; `undefined` when the table does not have it. */
  contextWindow(vendor: string, model: string): number | undefined {
    return this.#entry(vendor, model)?.contextWindow;
  }

  #entry(vendor: string, model: string): Entry | null {
    if (!this.#calculate) return null;
    const key = `${vendor}/${model}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = this.#lookUp(vendor, model);
      if (this.#entries.size >= MAX_REMEMBERED) this.#entries.clear();
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #lookUp(vendor: string, model: string): Entry | null {
    const [id, name] = pricedModel(vendor, model);
    const found = this.#find(id, name);
    if (!found) return null;
    const { prices, context_window } = found.model;
    const all = Array.isArray(prices) ? prices.map((each) => each.prices) : [prices];
    return {
      provider: { ...found.provider, models: [{ ...found.model, match: { starts_with: '' } }] },
      contextWindow: context_window,
      dated: Array.isArray(prices),
      minute: NaN,
      rates: Array.isArray(prices) ? undefined : ratesOf(prices),
      priced: new Set(all.flatMap(Object.keys)),
    };
  }

  #find(id: string, model: string): PriceCalculationResult {
    const { addresses = '', models = [], resells = [] } = this.#vendors.get(id) ?? {};
    const provider = { id, name: id, api_pattern: addresses, models };
    const own = this.#calculate!({}, model, { provider });
    if (own) return own;
    for (const other of resells) {
      const found = this.#find(other, model);
      if (found) return found;
    }
    return null;
  }
}

function ratesOf(prices: Prices): Rates | undefined {
  if (Object.keys(prices).some((name) => !PLAIN.has(name) && !TOLD.has(name))) return undefined;
  const { input_mtok = 0, output_mtok = 0, requests_kcount = 0 } = prices;
  const { cache_read_mtok = input_mtok, cache_write_mtok = input_mtok } = prices;
  if (typeof requests_kcount !== 'number') return undefined;
  return {
    input: input_mtok,
    output: output_mtok,
    cached: cache_read_mtok,
    cacheWrite: cache_write_mtok,
    request: requests_kcount / 1e3,
  };
}

/** Whether it consists of text tokens only. */
export function isPlain(usage: Usage): boolean {
  return (
    usage.cacheWrite1h === undefined &&
    usage.inputAudio === undefined &&
    usage.cachedAudio === undefined &&
    usage.outputAudio === undefined &&
    usage.inputImage === undefined &&
    usage.cachedImage === undefined &&
    usage.outputImage === undefined &&
    usage.inputVideo === undefined &&
    usage.outputVideo === undefined &&
    usage.webSearches === undefined &&
    usage.fileSearches === undefined &&
    usage.seconds === undefined &&
    usage.characters === undefined
  );
}

/** Whether the model has a price for what is known about an answer without reported usage. */
function countsUnreported({ priced }: Entry, { seconds, characters }: Usage): boolean {
  if (seconds !== undefined) return priced.has('audio_hours');
  return characters !== undefined && priced.has('input_mchars');
}

/** Whether tokens or requests have a price, which may be zero. */
function pricesTokens({ priced }: Entry): boolean {
  return priced.has('input_mtok') || priced.has('output_mtok') || priced.has('requests_kcount');
}

function multiply(rates: Rates, usage: Usage): number {
  const { input, cached, cacheWrite, output } = usage;
  // The tier of a price depends on the whole input, and applies to all tokens.
  const whole = Math.max(input, cached + cacheWrite);
  const millionths =
    (whole - cached - cacheWrite) * tierOf(rates.input, whole) +
    cached * tierOf(rates.cached, whole) +
    cacheWrite * tierOf(rates.cacheWrite, whole) +
    output * tierOf(rates.output, whole);
  return rates.request + millionths / 1e6;
}

function tierOf(price: number | TieredPrices, input: number): number {
  if (typeof price === 'number') return price;
  const tier = price.tiers.findLast(({ start }) => input > start);
  return tier?.price ?? price.base;
}

/** The table rejects parts that exceed the whole. */
function tableUsage(usage: Usage): Parameters<Calculate>[0] {
  const { cached, cacheWrite, output, reasoning, seconds, characters } = usage;
  const { cacheWrite1h = 0, inputAudio = 0, outputAudio = 0, inputImage = 0, outputImage = 0 } = usage;
  const { inputVideo = 0, outputVideo = 0 } = usage;
  const cachedAudio = Math.min(usage.cachedAudio ?? 0, cached, inputAudio);
  const cachedImage = Math.min(usage.cachedImage ?? 0, cached - cachedAudio, inputImage);
  const parts = inputAudio + inputImage + inputVideo + (cached - cachedAudio - cachedImage) + cacheWrite;
  return {
    input_tokens: Math.max(usage.input, parts),
    output_tokens: Math.max(output, outputAudio + outputImage + outputVideo),
    cache_read_tokens: cached,
    cache_write_tokens: cacheWrite,
    cache_write_1h_tokens: Math.min(cacheWrite1h, cacheWrite),
    input_audio_tokens: inputAudio,
    cache_audio_read_tokens: cachedAudio,
    output_audio_tokens: outputAudio,
    input_image_tokens: inputImage,
    cache_image_read_tokens: cachedImage,
    output_image_tokens: outputImage,
    input_video_tokens: inputVideo,
    output_video_tokens: outputVideo,
    output_reasoning_tokens: Math.min(
      reasoning,
      Math.max(0, output - outputAudio - outputImage - outputVideo),
    ),
    web_searches: usage.webSearches ?? 0,
    storage_searches: usage.fileSearches ?? 0,
    ...(seconds === undefined ? {} : { audio_seconds: seconds, input_audio_seconds: seconds }),
    ...(characters === undefined ? {} : { input_characters: characters }),
  };
}
