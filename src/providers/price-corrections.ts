import type { Provider } from '@pydantic/genai-prices';

type Model = Provider['models'][number];
type Amounts = Exclude<Model['prices'], unknown[]>;
type Amount = NonNullable<Amounts[string]>;

/** A model that the price list lacks, or prices that it has otherwise than the vendor. */
export interface Correction {
  /** The vendor's id in the list. */
  readonly vendor: string;
  /** A model of the list, whose prices are replaced as far as they are named here, or a new one. */
  readonly id: string;
  /** Of a new model: the names that it answers to. */
  readonly match?: Model['match'];
  readonly contextWindow?: number;
  readonly prices: Model['prices'];
  readonly source: string;
}

const OPENAI = 'https://developers.openai.com/api/docs/pricing';
const GOOGLE = 'https://ai.google.dev/gemini-api/docs/pricing';
const CLAUDE = 'https://platform.claude.com/docs/en/about-claude/pricing';
const MISTRAL = 'https://docs.mistral.ai/models/model-cards/mistral-medium-3-5-26-04';
const AWS = 'https://aws.amazon.com/bedrock/pricing/';

/** Prices of text per million tokens, up to a length of the prompt and beyond it. */
function long(start: number, base: number, price: number): Amount {
  return { base, tiers: [{ start, price }] };
}

/** A model of OpenAI whose prompts cost twice as much from 272,000 tokens on, and answers half as much again. */
function openai(id: string, input: number, cached: number, output: number): Correction {
  const twice = (usd: number) => long(272_000, usd, 2 * usd);
  return {
    vendor: 'openai',
    id,
    match: { or: [{ equals: id }, { starts_with: `${id}-20` }] },
    contextWindow: 1_050_000,
    prices: {
      input_mtok: twice(input),
      cache_read_mtok: twice(cached),
      cache_write_mtok: twice(1.25 * input),
      output_mtok: long(272_000, output, 1.5 * output),
    },
    source: `https://developers.openai.com/api/docs/models/${id}`,
  };
}

/** A model that its customer tuned. */
function tuned(base: string, input: number, cached: number, output: number): Correction {
  const id = `ft:${base}`;
  const prices = { input_mtok: input, cache_read_mtok: cached, output_mtok: output };
  return { vendor: 'openai', id, match: { starts_with: `${id}-20` }, prices, source: OPENAI };
}

function gemini(id: string, prices: Model['prices']): Correction {
  const match = { or: [{ equals: id }, { starts_with: `${id}-preview` }] };
  return { vendor: 'google', id, match, contextWindow: 1_048_576, prices, source: GOOGLE };
}

/** Prices of Amazon's own models outside the United States, by the profile that the name begins with. */
function nova(profile: string, model: string, input: number, output: number): Correction {
  const id = `${profile}.amazon.${model}`;
  const prices = { input_mtok: input, cache_read_mtok: input / 4, output_mtok: output };
  return { vendor: 'aws', id, match: { starts_with: id }, prices, source: AWS };
}

/** Claude Sonnet 4.5 has no prompts of more than 200,000 tokens since 30 April 2026; only sums of several are longer. */
const SONNET = { input_mtok: 3, cache_write_mtok: 3.75, cache_write_1h_mtok: 6, cache_read_mtok: 0.3 };

export const CORRECTIONS: readonly Correction[] = [
  openai('gpt-6.2-sol', 2, 0.1, 10),
  openai('gpt-6.2-astra', 8, 0.4, 40),
  tuned('gpt-4.1', 3, 0.75, 12),
  tuned('gpt-4.1-mini', 0.8, 0.2, 3.2),
  tuned('gpt-4.1-nano', 0.2, 0.05, 0.8),
  tuned('o4-mini', 4, 1, 16),
  { vendor: 'openai', id: 'ft:gpt-4o', prices: { cache_read_mtok: 1.875 }, source: OPENAI },
  { vendor: 'openai', id: 'ft:gpt-4o-mini', prices: { cache_read_mtok: 0.15 }, source: OPENAI },
  {
    vendor: 'openai',
    id: 'gpt-4o-audio-preview',
    prices: { input_audio_mtok: 40, output_audio_mtok: 80 },
    source: OPENAI,
  },
  {
    vendor: 'openai',
    id: 'gpt-4o-mini-audio-preview',
    prices: { input_audio_mtok: 10, output_audio_mtok: 20 },
    source: OPENAI,
  },
  {
    vendor: 'anthropic',
    id: 'claude-sonnet-4-5',
    prices: { ...SONNET, output_mtok: 15 },
    source: CLAUDE,
  },
  { vendor: 'google', id: 'claude-sonnet-4-5', prices: { ...SONNET, output_mtok: 15 }, source: CLAUDE },
  // The introductory price of Gemini 3.8 Flash does not apply.
  gemini('gemini-3.8-flash-cyber', { input_mtok: 1.5, cache_read_mtok: 0.15, output_mtok: 7.5 }),
  gemini('gemini-4-hydrogen', { input_mtok: 1.5, cache_read_mtok: 0.075, output_mtok: 7.5 }),
  gemini('gemini-4-neon', { input_mtok: 3, cache_read_mtok: 0.15, output_mtok: 15 }),
  gemini('gemini-4-carbon', [
    { prices: { input_mtok: 2, cache_read_mtok: 0.1, output_mtok: 10 } },
    {
      constraint: { type: 'start_date', start_date: '2026-12-01' },
      prices: { input_mtok: 4, cache_read_mtok: 0.2, output_mtok: 20 },
    },
  ]),
  {
    vendor: 'mistral',
    id: 'mistral-large-latest',
    match: { equals: 'mistral-large-latest' },
    prices: { input_mtok: 0.5, cache_read_mtok: 0.05, output_mtok: 1.5 },
    source: 'https://docs.mistral.ai/models/mistral-large-3-25-12',
  },
  {
    vendor: 'mistral',
    id: 'magistral-medium-latest',
    match: { equals: 'magistral-medium-latest' },
    prices: { input_mtok: 1.5, cache_read_mtok: 0.15, output_mtok: 7.5 },
    source: MISTRAL,
  },
  nova('eu', 'nova-micro', 0.046, 0.184),
  nova('eu', 'nova-lite', 0.078, 0.312),
  nova('eu', 'nova-pro', 1.05, 4.2),
  nova('apac', 'nova-micro', 0.037, 0.148),
  nova('apac', 'nova-lite', 0.063, 0.252),
  nova('apac', 'nova-pro', 0.84, 3.36),
];

/**
 * The prices of OpenAI's models from GPT-6 on for tokens that are written to a cache for 12 hours: twice as much as
 * those for 30 minutes. They take the place of those for an hour, which other vendors have.
 * @see https://developers.openai.com/api/docs/models/gpt-6.2-sol
 */
export function withLongWrites(model: Model): Model {
  const { prices } = model;
  if (!/\bgpt-[6-9]/.test(model.id) || Array.isArray(prices)) return model;
  const { cache_write_mtok: written } = prices;
  if (written === undefined || prices.cache_write_1h_mtok !== undefined) return model;
  return { ...model, prices: { ...prices, cache_write_1h_mtok: doubled(written) } };
}

function doubled(amount: Amount): Amount {
  if (typeof amount === 'number') return 2 * amount;
  return long(amount.tiers[0]!.start, 2 * amount.base, 2 * amount.tiers[0]!.price);
}

/** The models of a vendor with its corrections. New ones come first, so that they are not taken for older ones. */
export function corrected(vendor: string, models: readonly Model[]): Model[] {
  const own = CORRECTIONS.filter((correction) => correction.vendor === vendor);
  const added = own.flatMap(({ id, match, contextWindow, prices }) =>
    match
      ? [{ id, match, prices, ...(contextWindow === undefined ? {} : { context_window: contextWindow }) }]
      : [],
  );
  return [...added, ...models.map((model) => replaced(model, own))].map(withLongWrites);
}

function replaced(model: Model, corrections: readonly Correction[]): Model {
  const correction = corrections.find(({ id, match }) => id === model.id && !match);
  if (!correction || Array.isArray(correction.prices) || Array.isArray(model.prices)) return model;
  return { ...model, prices: { ...model.prices, ...correction.prices } };
}
