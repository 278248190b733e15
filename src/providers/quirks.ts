import type { ProviderType } from '../config/presets.ts';
import type { Quirks } from '../wire/quirks.ts';
import { presetOf } from '../config/presets.ts';
import { CLAUDE, CLAUDE_ON_BEDROCK, CLAUDE_ON_VERTEX } from './vendors/claude.ts';
import { OPENAI } from './vendors/openai.ts';
import { XAI } from './vendors/xai.ts';
import { EFFORTS } from '../wire/facts/effort.ts';

/** A role that only OpenAI supports. */
const OLD_ROLES = { roles: { developer: 'system' } } as const;

/** Names of the token limit from before OpenAI renamed it. */
const OLD_LIMIT = { max_completion_tokens: 'max_tokens' } as const;

/** Every effort except none in one word. */
function oneEffort(word: string): Record<string, string> {
  return Object.fromEntries(EFFORTS.filter((effort) => effort !== 'none').map((effort) => [effort, word]));
}

/** How vendors of OpenAI's API deviate from it, each with its source. */
export const QUIRKS: Readonly<Partial<Record<ProviderType, Quirks>>> = {
  openai: OPENAI,
  azure: OPENAI,
  anthropic: CLAUDE,
  // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo
  vertex: { ...CLAUDE_ON_VERTEX, tierHeader: 'x-vertex-ai-llm-shared-request-type' },
  bedrock: CLAUDE_ON_BEDROCK,
  mistral: {
    ...OLD_ROLES,
    source: 'https://docs.mistral.ai/api/',
    reportsUsage: true,
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
      reasoning_effort: { minimal: 'none', low: 'high', medium: 'high', xhigh: 'high', max: 'high' },
    },
    toolIds: 'nine_alphanumerics',
    documentUrls: true,
  },
  deepseek: {
    ...OLD_ROLES,
    source: 'https://api-docs.deepseek.com/api/create-chat-completion',
    drops: ['seed', 'n', 'logit_bias', 'store', 'service_tier', 'verbosity', 'parallel_tool_calls'],
    renames: OLD_LIMIT,
    keeps: ['thinking'],
    abilities: { json_schema: false },
    efforts: ['low', 'medium', 'high', 'max'],
    unreasoned: { thinking: { type: 'disabled' } },
    models: [
      {
        match: /reasoner|-r1/,
        quirks: { reasoning: 'left_out', source: 'https://api-docs.deepseek.com/guides/reasoning_model' },
      },
      {
        match: /./,
        quirks: { reasoning: 'every_turn', source: 'https://api-docs.deepseek.com/guides/thinking_mode' },
      },
    ],
  },
  xai: XAI,
  grok: XAI,
  'perplexity-sonar': {
    ...OLD_ROLES,
    source: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
    systemFirst: true,
    reportsUsage: true,
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
    abilities: { json_object: false },
    efforts: ['minimal', 'low', 'medium', 'high'],
    outputWithoutReasoning: true,
  },
  groq: {
    roles: { developer: 'developer' },
    source: 'https://console.groq.com/docs/openai',
    reportsUsage: true,
    drops: ['logprobs', 'top_logprobs', 'logit_bias', 'store', 'verbosity'],
    clamps: { temperature: [1e-8, 2], n: [1, 1] },
    // https://console.groq.com/docs/service-tiers
    words: { service_tier: { default: 'on_demand', priority: 'performance' } },
    abilities: { json_with_tools: false },
    models: [
      {
        match: /gpt-oss/,
        quirks: { efforts: ['low', 'medium', 'high'], source: 'https://console.groq.com/docs/reasoning' },
      },
      {
        match: /qwen/,
        quirks: {
          // One effort, and none.
          words: { reasoning_effort: oneEffort('default') },
          abilities: { json_schema: false },
          source: 'https://console.groq.com/docs/reasoning',
        },
      },
      {
        match: /llama-3|gemma|compound/,
        quirks: {
          efforts: [],
          abilities: { json_schema: false },
          source: 'https://console.groq.com/docs/structured-outputs',
        },
      },
    ],
  },
  cerebras: {
    source: 'https://inference-docs.cerebras.ai/resources/openai',
    drops: ['presence_penalty', 'frequency_penalty', 'logit_bias', 'store', 'verbosity'],
    abilities: { json_with_tools: false },
    efforts: ['none', 'low', 'medium', 'high'],
  },
  together: {
    ...OLD_ROLES,
    source: 'https://docs.together.ai/reference/chat-completions-1',
    reportsUsage: true,
    renames: OLD_LIMIT,
    drops: ['store', 'verbosity', 'service_tier'],
    keeps: ['top_k'],
    efforts: ['low', 'medium', 'high'],
  },
  fireworks: {
    ...OLD_ROLES,
    source: 'https://docs.fireworks.ai/api-reference/post-chatcompletions',
    drops: ['store', 'verbosity', 'web_search_options', 'prompt_cache_retention'],
    hidesTier: true,
    renames: { ...OLD_LIMIT, prompt_cache_key: 'prompt_cache_isolation_key' },
    reasoning: 'where_known',
    keeps: ['top_k'],
    efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
  },
  openrouter: {
    roles: { developer: 'developer' },
    source: 'https://openrouter.ai/docs/api-reference/chat-completion',
    reportsUsage: true,
    keeps: ['top_k', 'cache_control', 'web_search_options'],
    efforts: EFFORTS,
  },
  blackbox: { source: 'https://docs.blackbox.ai/api-reference/chat', keeps: ['top_k', 'cache_control'] },
  ollama: {
    ...OLD_ROLES,
    source: 'https://docs.ollama.com/api/openai-compatibility',
    drops: ['tool_choice', 'logit_bias', 'user', 'n', 'logprobs', 'top_logprobs', 'parallel_tool_calls'],
    renames: OLD_LIMIT,
    efforts: ['none', 'low', 'medium', 'high', 'max'],
  },
  vllm: {
    ...OLD_ROLES,
    source: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
    reasoning: 'where_known',
    keeps: ['top_k'],
    efforts: ['low', 'medium', 'high'],
    unreasoned: { chat_template_kwargs: { enable_thinking: false } },
  },
  llamacpp: {
    ...OLD_ROLES,
    source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    reasoning: 'where_known',
    keeps: ['top_k'],
  },
  lmstudio: {
    ...OLD_ROLES,
    source: 'https://lmstudio.ai/docs/developer/openai-compat/chat-completions',
    keeps: ['top_k'],
    efforts: ['low', 'medium', 'high'],
  },
  moonshot: {
    ...OLD_ROLES,
    source: 'https://platform.moonshot.ai/docs/api/chat',
    reasoning: 'where_known',
    renames: OLD_LIMIT,
    clamps: { temperature: [0, 1] },
    unreasoned: { thinking: { type: 'disabled' } },
    models: [
      {
        match: /k3/,
        quirks: {
          efforts: ['low', 'high', 'max'],
          source: 'https://platform.moonshot.ai/docs/guide/kimi-k3-quickstart',
        },
      },
      { match: /./, quirks: { efforts: [], source: 'https://platform.moonshot.ai/docs/api/chat' } },
    ],
  },
  zai: {
    ...OLD_ROLES,
    source: 'https://docs.z.ai/api-reference/llm/chat-completion',
    reasoning: 'where_known',
    keeps: ['thinking'],
    renames: OLD_LIMIT,
    abilities: { json_schema: false },
    efforts: [],
    unreasoned: { thinking: { type: 'disabled' } },
  },
};

/** Google's own OpenAI-compatible endpoint, which requires the signatures of calls as its native API does. */
const GOOGLE_CHAT: Quirks = {
  source: 'https://ai.google.dev/gemini-api/docs/thought-signatures#openai',
  keeps: ['extra_content'],
  efforts: ['none', 'minimal', 'low', 'medium', 'high'],
};

/** What is known about a server by its address, if its type only tells which API it implements. */
const BY_HOST: ReadonlyMap<string, Quirks> = new Map([
  ...Object.entries(QUIRKS).flatMap(([type, quirks]) => {
    const { api, baseUrl } = presetOf(type);
    const host = api === 'openai' && baseUrl !== undefined ? new URL(baseUrl).host : '';
    return host === '' || /^(?:localhost|127\.)/.test(host) ? [] : [[host, quirks] as const];
  }),
  ['generativelanguage.googleapis.com', GOOGLE_CHAT],
  ['aiplatform.googleapis.com', GOOGLE_CHAT],
]);

/** Types that tell which API a server implements, but not who operates it. */
const ANY_SERVER: ReadonlySet<string> = new Set(['openai-compatible']);

/**
 * The deviations of a vendor of this type; types of plugins have none.
 * @param baseUrl its address, by which a vendor is recognised if the type does not tell it
 */
export function quirksOf(type: string, baseUrl?: string): Quirks {
  if (ANY_SERVER.has(type) && baseUrl !== undefined) return ofHost(baseUrl);
  return Object.hasOwn(QUIRKS, type) ? QUIRKS[type as ProviderType]! : {};
}

function ofHost(baseUrl: string): Quirks {
  const host = URL.parse(baseUrl)?.host ?? '';
  // Regions of Vertex AI precede its host name.
  return BY_HOST.get(host) ?? (host.endsWith('-aiplatform.googleapis.com') ? GOOGLE_CHAT : {});
}
