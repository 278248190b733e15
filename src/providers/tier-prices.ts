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
const FAST = 'https://platform.claude.com/docs/en/build-with-claude/fast-mode';

/** The first row that matches applies. */
const ROWS: readonly Row[] = [
  { vendors: ['openai', 'azure'], tier: 'flex', factor: 0.5, source: OPENAI },
  { vendors: ['openai', 'azure'], tier: 'priority', models: /gpt-5\.5/, factor: 2.5, source: OPENAI },
  {
    vendors: ['openai', 'azure'],
    tier: 'priority',
    models: /gpt-5-mini|o4-mini/,
    factor: 1.8,
    source: OPENAI,
  },
  { vendors: ['openai', 'azure'], tier: 'priority', models: /gpt-4\.1-nano/, factor: 2, source: OPENAI },
  { vendors: ['openai', 'azure'], tier: 'priority', models: /gpt-4\.1|\bo3\b/, factor: 1.75, source: OPENAI },
  { vendors: ['openai', 'azure'], tier: 'priority', models: /gpt-4o/, factor: 1.7, source: OPENAI },
  { vendors: ['openai', 'azure'], tier: 'priority', factor: 2, source: OPENAI },
  { vendors: ['google'], tier: 'flex', factor: 0.5, source: GOOGLE },
  { vendors: ['google'], tier: 'priority', factor: 1.8, source: GOOGLE },
  { vendors: ['aws'], tier: 'flex', factor: 0.5, source: AWS },
  { vendors: ['aws'], tier: 'priority', factor: 1.75, source: AWS },
  { vendors: ['anthropic'], tier: 'fast', models: /opus-4-[67]/, factor: 6, source: FAST },
  { vendors: ['anthropic'], tier: 'fast', factor: 2, source: FAST },
  {
    vendors: ['anthropic'],
    tier: 'us',
    factor: 1.1,
    source: 'https://platform.claude.com/docs/en/build-with-claude/data-residency',
  },
];

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
