import type { ProviderType } from '../config/presets.ts';
import type { Quirks } from '../wire/quirks.ts';

const SAMPLING = [
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'logprobs',
  'top_logprobs',
  'logit_bias',
];

/** What models that think first refuse: what steers sampling. */
const THINKING: Quirks = { drops: [...SAMPLING, 'stop'], renames: { max_tokens: 'max_completion_tokens' } };

/** A role that OpenAI alone knows. */
const OLD_ROLES = { roles: { developer: 'system' } } as const;

/** From Claude 4.1 and 4.5 on, of the two one alone is taken. */
const CLAUDE: Quirks = {
  models: [
    {
      match: /claude-(?:opus-4-1|(?:opus|sonnet|haiku)-(?:4-[5-9]|[5-9]))/,
      quirks: { exclusive: [['temperature', 'top_p']] },
    },
  ],
};

/** OpenAI's efforts by model: https://platform.openai.com/docs/guides/reasoning. */
const OPENAI: Quirks = {
  // It sends an empty list with each answer, which its clients give back.
  keeps: ['annotations'],
  models: [
    { match: /^gpt-5[.\d]*-chat|^gpt-[34]|^chatgpt/, quirks: { efforts: [] } },
    { match: /^o\d/, quirks: { ...THINKING, efforts: ['low', 'medium', 'high'] } },
    { match: /^gpt-5(?!\.)/, quirks: { ...THINKING, efforts: ['minimal', 'low', 'medium', 'high'] } },
    { match: /^gpt-5\.1/, quirks: { ...THINKING, efforts: ['none', 'low', 'medium', 'high'] } },
    {
      match: /^gpt-[5-9]/,
      quirks: THINKING,
    },
  ],
};

const XAI: Quirks = {
  outputWithoutReasoning: true,
  drops: ['logit_bias'],
  models: [
    {
      match: /^grok-(?:3-mini|4|code)/,
      quirks: { drops: ['presence_penalty', 'frequency_penalty', 'stop'] },
    },
  ],
};

/** Names of the tokens' limit before OpenAI renamed it. */
const OLD_LIMIT = { max_completion_tokens: 'max_tokens' } as const;

/** What vendors of OpenAI's API do otherwise. Facts with their sources stand in the vendors' own references. */
export const QUIRKS: Readonly<Partial<Record<ProviderType, Quirks>>> = {
  openai: OPENAI,
  azure: OPENAI,
  anthropic: CLAUDE,
  vertex: CLAUDE,
  bedrock: CLAUDE,
  mistral: {
    ...OLD_ROLES,
    tellsUsage: true,
    drops: [
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'stream_options',
      'user',
      'safety_identifier',
      'store',
      'service_tier',
      'verbosity',
    ],
    renames: { ...OLD_LIMIT, seed: 'random_seed' },
    clamps: { temperature: [0, 1.5] },
    words: {
      tool_choice: { required: 'any' },
      reasoning_effort: { minimal: 'none', low: 'high', medium: 'high' },
    },
    toolIds: 'nine_alphanumerics',
  },
  deepseek: {
    ...OLD_ROLES,
    drops: ['seed', 'n', 'logit_bias', 'store', 'service_tier', 'verbosity', 'parallel_tool_calls'],
    renames: OLD_LIMIT,
    keeps: ['thinking'],
    models: [
      { match: /reasoner|-r1/, quirks: { reasoning: 'left_out' } },
      { match: /./, quirks: { reasoning: 'every_turn' } },
    ],
  },
  xai: XAI,
  grok: XAI,
  'perplexity-sonar': {
    ...OLD_ROLES,
    systemFirst: true,
    tellsUsage: true,
    drops: [
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'stop',
      'seed',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'n',
    ],
    renames: OLD_LIMIT,
    outputWithoutReasoning: true,
  },
  groq: {
    tellsUsage: true,
    drops: ['logprobs', 'top_logprobs', 'logit_bias', 'store', 'verbosity'],
    clamps: { temperature: [1e-8, 2], n: [1, 1] },
  },
  cerebras: {
    drops: ['presence_penalty', 'frequency_penalty', 'logit_bias', 'store', 'verbosity'],
  },
  together: {
    tellsUsage: true,
    renames: OLD_LIMIT,
    drops: ['store', 'verbosity', 'service_tier'],
    keeps: ['top_k'],
  },
  fireworks: {
    drops: ['store', 'verbosity', 'web_search_options', 'prompt_cache_retention'],
    renames: { ...OLD_LIMIT, prompt_cache_key: 'prompt_cache_isolation_key' },
    reasoning: 'where_known',
    keeps: ['top_k'],
  },
  openrouter: { tellsUsage: true, keeps: ['top_k', 'cache_control', 'web_search_options'] },
  blackbox: { keeps: ['top_k', 'cache_control'] },
  ollama: {
    drops: ['tool_choice', 'logit_bias', 'user', 'n', 'logprobs', 'top_logprobs', 'parallel_tool_calls'],
    renames: OLD_LIMIT,
  },
  vllm: { reasoning: 'where_known', keeps: ['top_k'] },
  llamacpp: { reasoning: 'where_known', keeps: ['top_k'] },
  lmstudio: { ...OLD_ROLES, keeps: ['top_k'] },
  moonshot: {
    reasoning: 'where_known',
    renames: OLD_LIMIT,
    clamps: { temperature: [0, 1] },
  },
  zai: { reasoning: 'where_known', keeps: ['thinking'], renames: OLD_LIMIT },
};

/** What a vendor of this type does otherwise; types of plugins do nothing otherwise. */
export function quirksOf(type: string): Quirks {
  return Object.hasOwn(QUIRKS, type) ? QUIRKS[type as ProviderType]! : {};
}
