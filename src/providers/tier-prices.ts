import type { ServiceTier } from '../service-tiers.ts';
import type { Tiered } from '../wire/reported-tiers.ts';

/** The factor on the prices of tokens in a service tier. */
interface Row {
  /** The vendors' ids in the price table. */
  readonly vendors: readonly string[];
  readonly tier: ServiceTier;
  /** The names of the models; all if omitted. */
  readonly models?: RegExp;
  readonly factor: number;
  readonly source: string;
}

const OPENAI = 'https://platform.openai.com/docs/pricing';
const GOOGLE = 'https://ai.google.dev/gemini-api/docs/pricing';
const AWS = 'https://aws.amazon.com/bedrock/pricing/';
const FIREWORKS = 'https://docs.fireworks.ai/serverless/pricing';
const FAST = 'https://platform.claude.com/docs/en/build-with-claude/fast-mode';

/** The first row that matches applies. */
const ROWS: readonly Row[] = [
  { vendors: ['openai', 'azure'], tier: 'flex', factor: 0.5, source: OPENAI },
  ...inPriority([
    [/gpt-5\.5/, 2.5],
    [/gpt-5-mini/, 1.8],
    [/o4-mini/, 2 / 1.1],
    [/gpt-4\.1-nano/, 2],
    [/gpt-4\.1|\bo3\b|gpt-4o-2024-05-13/, 1.75],
    [/gpt-4o-mini/, 5 / 3],
    [/gpt-4o/, 1.7],
    [/./, 2],
  ]),
  // Until February 2027.
  { vendors: ['openai', 'azure'], tier: 'ultrafast', models: /gpt-6\.2/, factor: 3, source: OPENAI },
  { vendors: ['openai', 'azure', 'aws'], tier: 'ultrafast', factor: 6, source: OPENAI },
  { vendors: ['google'], tier: 'flex', factor: 0.5, source: GOOGLE },
  { vendors: ['google'], tier: 'priority', factor: 1.8, source: GOOGLE },
  { vendors: ['aws'], tier: 'flex', factor: 0.5, source: AWS },
  { vendors: ['aws'], tier: 'priority', factor: 1.75, source: AWS },
  // Not compared with the page, which could not be read.
  { vendors: ['aws'], tier: 'optimized', factor: 1.25, source: AWS },
  {
    vendors: ['fireworks'],
    tier: 'priority',
    models: /kimi-k2p|kimi-k3p1-pro|minimax-m3|muse-|qwen3p8/,
    factor: 1.5,
    source: FIREWORKS,
  },
  { vendors: ['fireworks'], tier: 'priority', models: /gpt-oss/, factor: 1.2, source: FIREWORKS },
  { vendors: ['fireworks'], tier: 'priority', factor: 1.25, source: FIREWORKS },
  { vendors: ['anthropic'], tier: 'fast', models: /opus-4-[67]/, factor: 6, source: FAST },
  { vendors: ['anthropic'], tier: 'fast', factor: 2, source: FAST },
  {
    vendors: ['anthropic'],
    tier: 'us',
    factor: 1.1,
    source: 'https://platform.claude.com/docs/en/build-with-claude/data-residency',
  },
];

/** Models whose tokens cost 10% more if they are processed in one region. */
const REGIONAL: Readonly<Record<string, { readonly models: RegExp; readonly source: string }>> = {
  openai: { models: /^gpt-(?:5\.[4-9]|[6-9]|realtime-2\.[1-9])/, source: OPENAI },
  google: {
    models: /claude-\w+-(?:4-[5-9]|[5-9])|gemini-(?:3\.1-flash-(?:image|lite)|3\.[5-9]|[4-9])/,
    source: 'https://cloud.google.com/vertex-ai/generative-ai/pricing',
  },
};

/** The factor on the prices of tokens that are processed in one region. @param vendor the id in the price table */
export function regionFactor(vendor: string, model: string): number {
  return REGIONAL[vendor]?.models.test(model) ? 1.1 : 1;
}

/** OpenAI's priority tier, which is also called fast. */
function inPriority(factors: readonly (readonly [RegExp, number])[]): Row[] {
  return (['priority', 'fast'] as const).flatMap((tier) =>
    factors.map(([models, factor]) => ({
      vendors: ['openai', 'azure'],
      tier,
      models,
      factor,
      source: OPENAI,
    })),
  );
}

/**
 * The factor on the prices of tokens for an answer's service tiers.
 * @param vendor the provider's id in the price table
 * @returns 1 for tiers without a price of their own
 */
export function tierFactor(vendor: string, model: string, { tiers = [] }: Tiered): number {
  return tiers.reduce((product, tier) => {
    const row = ROWS.find(
      ({ vendors, tier: its, models }) =>
        its === tier && vendors.includes(vendor) && (models?.test(model) ?? true),
    );
    return product * (row?.factor ?? 1);
  }, 1);
}
