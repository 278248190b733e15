import type { Unit } from '../wire/units.ts';
import type { Usage } from '../wire/usage.ts';

/** What a vendor charges for a unit besides tokens. */
interface Row {
  /** The vendors' ids in the price table. */
  readonly vendors: readonly string[];
  /** The unit, or `answers` for what every answer costs. */
  readonly unit: Unit | 'answers';
  /** The names of the models; all if omitted. */
  readonly models?: RegExp;
  /** USD for one. */
  readonly usd: number;
  /** An answer is charged for one, however many it took. */
  readonly once?: true;
  readonly source: string;
}

const OPENAI = 'https://developers.openai.com/api/docs/pricing';
const AZURE = 'https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/';
const CLAUDE = 'https://platform.claude.com/docs/en/about-claude/pricing#specific-tool-pricing';
const GOOGLE = 'https://ai.google.dev/gemini-api/docs/pricing';
const GROQ = 'https://groq.com/pricing';
const DEEPSEEK = 'https://api-docs.deepseek.com/quick_start/pricing';
const MISTRAL = 'https://mistral.ai/pricing#api-pricing';
const XAI = 'https://docs.x.ai/developers/pricing#tools-pricing';
const COHERE = 'https://cohere.com/pricing';
const GUARDRAILS = 'https://aws.amazon.com/bedrock/pricing/#Amazon_Bedrock_Guardrails';

/** Of the rows for a unit, the first that matches applies. They take precedence over the price table. */
const ROWS: readonly Row[] = [
  // These search before each answer, and do not report it.
  { vendors: ['openai'], unit: 'answers', models: /^gpt-4o(?:-mini)?-search/, usd: 0.025, source: OPENAI },
  { vendors: ['openai'], unit: 'answers', models: /^gpt-5-search/, usd: 0.01, source: OPENAI },
  { vendors: ['openai'], unit: 'webSearches', usd: 0.01, source: OPENAI },
  // Models that do not reason pay more for the older tool, but not for the tokens that it finds.
  { vendors: ['openai'], unit: 'previewSearches', models: /\bgpt-4(?:o|\.1)/, usd: 0.025, source: OPENAI },
  { vendors: ['openai'], unit: 'previewSearches', usd: 0.01, source: OPENAI },
  { vendors: ['openai', 'azure'], unit: 'fileSearches', usd: 0.0025, source: OPENAI },
  // The least that is charged: 0.03 USD for 20 minutes and a gigabyte, by the minute, and 5 minutes at least.
  { vendors: ['openai'], unit: 'containerGigabytes', usd: 0.0075, source: OPENAI },
  { vendors: ['azure'], unit: 'containerGigabytes', usd: 0.033, source: AZURE },
  { vendors: ['azure'], unit: 'webSearches', models: /^(?!claude)/, usd: 0.014, source: AZURE },
  { vendors: ['azure'], unit: 'previewSearches', usd: 0.014, source: AZURE },
  {
    vendors: ['anthropic', 'google', 'aws', 'azure'],
    unit: 'webSearches',
    models: /claude/,
    usd: 0.01,
    source: CLAUDE,
  },
  // Before Gemini 3, a prompt is charged, and not the queries that it causes.
  {
    vendors: ['google'],
    unit: 'webSearches',
    models: /gemini-[12]/,
    usd: 0.035,
    once: true,
    source: GOOGLE,
  },
  // A session has many prompts.
  { vendors: ['google'], unit: 'webSearches', models: /gemini-live-2/, usd: 0.035, source: GOOGLE },
  { vendors: ['google'], unit: 'webSearches', usd: 0.014, source: GOOGLE },
  {
    vendors: ['google'],
    unit: 'mapSearches',
    models: /gemini-[12]/,
    usd: 0.025,
    once: true,
    source: GOOGLE,
  },
  { vendors: ['google'], unit: 'mapSearches', usd: 0.014, source: GOOGLE },
  { vendors: ['groq'], unit: 'webSearches', usd: 0.005, source: GROQ },
  { vendors: ['groq'], unit: 'pageVisits', usd: 0.001, source: GROQ },
  { vendors: ['deepseek'], unit: 'webSearches', usd: 0.000_75, source: DEEPSEEK },
  { vendors: ['deepseek'], unit: 'pageVisits', usd: 0.000_75, source: DEEPSEEK },
  // Not compared with the page, which could not be read.
  { vendors: ['mistral'], unit: 'webSearches', usd: 0.03, source: MISTRAL },
  { vendors: ['mistral'], unit: 'codeCalls', usd: 0.03, source: MISTRAL },
  { vendors: ['mistral'], unit: 'images', usd: 0.1, source: MISTRAL },
  { vendors: ['x-ai'], unit: 'webSearches', usd: 0.005, source: XAI },
  { vendors: ['x-ai'], unit: 'codeCalls', usd: 0.005, source: XAI },
  { vendors: ['x-ai'], unit: 'fileSearches', usd: 0.0025, source: XAI },
  { vendors: ['cohere'], unit: 'rerankSearches', models: /v4\.0-pro/, usd: 0.0025, source: COHERE },
  { vendors: ['cohere'], unit: 'rerankSearches', usd: 0.002, source: COHERE },
  { vendors: ['aws'], unit: 'guardrailFilters', usd: 0.000_15, source: GUARDRAILS },
  { vendors: ['aws'], unit: 'guardrailChecks', usd: 0.0001, source: GUARDRAILS },
  { vendors: ['aws'], unit: 'guardrailImages', usd: 0.000_75, source: GUARDRAILS },
  { vendors: ['aws'], unit: 'guardrailReasoning', usd: 0.000_17, source: GUARDRAILS },
];

const BY_VENDOR = new Map<string, readonly Row[]>();
for (const row of ROWS)
  for (const vendor of row.vendors) BY_VENDOR.set(vendor, [...(BY_VENDOR.get(vendor) ?? []), row]);

export interface Fees {
  readonly usd: number;
  /** The usage without the units that are charged for here. */
  readonly rest: Usage;
}

/**
 * What a vendor charges for an answer besides its tokens, as far as it is known here.
 * @param vendor the provider's id in the price table
 */
export function feesFor(vendor: string, model: string, usage: Usage): Fees {
  const rows = BY_VENDOR.get(vendor);
  if (!rows) return { usd: 0, rest: usage };
  let usd = 0;
  const charged = new Set<Unit | 'answers'>();
  for (const { unit, models, usd: each, once } of rows) {
    const amount = unit === 'answers' ? 1 : usage[unit];
    if (amount === undefined || charged.has(unit) || models?.test(model) === false) continue;
    charged.add(unit);
    usd += each * (once ? Math.min(amount, 1) : amount);
  }
  return { usd, rest: charged.size === 0 ? usage : without(usage, charged) };
}

function without(usage: Usage, charged: ReadonlySet<string>): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([name]) => !charged.has(name))) as unknown as Usage;
}
