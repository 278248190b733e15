/**
 * The vendors, as data. A vendor that speaks a known protocol is a row here; only a new protocol is code.
 * The table lives with the configuration because `type:` is checked and completed against it.
 */

export type Protocol = 'openai' | 'anthropic' | 'mock';

/** How a key travels: `Authorization: Bearer`, `x-api-key`, `api-key`, or not at all. */
export type AuthScheme = 'bearer' | 'x-api-key' | 'api-key' | 'none';

export interface Preset {
  readonly title: string;
  readonly protocol: Protocol;
  /** Without a trailing slash; `undefined` where each account has its own and `base_url` must be given. */
  readonly baseUrl?: string;
  readonly auth: AuthScheme;
  /** Environment variables that hold the key, first found wins. Empty for servers that need none. */
  readonly keyEnv: readonly string[];
  /** Globs of the models it serves when the configuration lists none. */
  readonly models: readonly string[];
  /** Path of a free endpoint that shows the service to be up, relative to the base URL. */
  readonly probe?: string;
  /** Endpoints beyond chat that it serves; see `wire/endpoints.ts`. */
  readonly endpoints: readonly string[];
  /** Headers that every request carries. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How its models take a beginning of their answer, where they do; see `wire/continue.ts`. */
  readonly prefill?: 'assistant' | 'prefix' | 'continue_final_message';
  /** The provider's id in the price table, where it has one. */
  readonly prices?: string;
  /** A place for the key may stay empty: local servers. */
  readonly keyOptional?: true;
  /** Order among providers found in the environment, lowest first. Aggregators come last. */
  readonly priority: number;
}

const CHAT = ['chat'] as const;
const TEXT = ['chat', 'completions', 'embeddings'] as const;
const MEDIA = ['moderations', 'images', 'audio'] as const;

export const PRESETS = {
  openai: {
    title: 'OpenAI',
    protocol: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    auth: 'bearer',
    keyEnv: ['OPENAI_API_KEY'],
    models: [
      'gpt-*',
      'chatgpt-*',
      'o[0-9]*',
      'text-embedding-*',
      'davinci-*',
      'babbage-*',
      'whisper-*',
      'tts-*',
      'dall-e-*',
      'omni-moderation-*',
      'text-moderation-*',
    ],
    probe: '/models',
    endpoints: [...TEXT, ...MEDIA],
    prices: 'openai',
    priority: 10,
  },
  anthropic: {
    title: 'Anthropic',
    protocol: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
    auth: 'x-api-key',
    keyEnv: ['ANTHROPIC_API_KEY'],
    models: ['claude-*'],
    probe: '/v1/models',
    endpoints: CHAT,
    headers: { 'anthropic-version': '2023-06-01' },
    prefill: 'assistant',
    prices: 'anthropic',
    priority: 10,
  },
  gemini: {
    title: 'Gemini (OpenAI-compatible endpoint)',
    protocol: 'openai',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    auth: 'bearer',
    keyEnv: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    models: ['gemini-*', 'gemma-*', 'text-embedding-004'],
    probe: '/models',
    endpoints: ['chat', 'embeddings', 'images'],
    prices: 'google',
    priority: 10,
  },
  azure: {
    title: 'Azure OpenAI (v1 API)',
    protocol: 'openai',
    auth: 'api-key',
    keyEnv: ['AZURE_OPENAI_API_KEY'],
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'images', 'audio'],
    prices: 'azure',
    priority: 20,
  },
  mistral: {
    title: 'Mistral',
    protocol: 'openai',
    baseUrl: 'https://api.mistral.ai/v1',
    auth: 'bearer',
    keyEnv: ['MISTRAL_API_KEY'],
    models: [
      'mistral-*',
      'ministral-*',
      'magistral-*',
      'codestral-*',
      'devstral-*',
      'pixtral-*',
      'open-mistral-*',
      'open-mixtral-*',
    ],
    probe: '/models',
    endpoints: ['chat', 'embeddings', 'moderations', 'audio'],
    prefill: 'prefix',
    prices: 'mistral',
    priority: 10,
  },
  deepseek: {
    title: 'DeepSeek',
    protocol: 'openai',
    baseUrl: 'https://api.deepseek.com',
    auth: 'bearer',
    keyEnv: ['DEEPSEEK_API_KEY'],
    models: ['deepseek-*'],
    probe: '/models',
    endpoints: CHAT,
    prices: 'deepseek',
    priority: 10,
  },
  xai: {
    title: 'xAI (Grok)',
    protocol: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    auth: 'bearer',
    keyEnv: ['XAI_API_KEY', 'GROK_API_KEY'],
    models: ['grok-*'],
    probe: '/models',
    endpoints: ['chat', 'completions', 'images'],
    prices: 'x-ai',
    priority: 10,
  },
  grok: {
    title: 'xAI under its other name',
    protocol: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    auth: 'bearer',
    keyEnv: ['GROK_API_KEY', 'XAI_API_KEY'],
    models: ['grok-*'],
    probe: '/models',
    endpoints: ['chat', 'completions', 'images'],
    prices: 'x-ai',
    priority: 10,
  },
  perplexity: {
    title: 'Perplexity (legacy sonar chat)',
    protocol: 'openai',
    baseUrl: 'https://api.perplexity.ai',
    auth: 'bearer',
    keyEnv: ['PERPLEXITY_API_KEY'],
    models: ['sonar', 'sonar-*'],
    probe: '/v1/models',
    endpoints: CHAT,
    prices: 'perplexity',
    priority: 10,
  },
  groq: {
    title: 'Groq',
    protocol: 'openai',
    baseUrl: 'https://api.groq.com/openai/v1',
    auth: 'bearer',
    keyEnv: ['GROQ_API_KEY'],
    models: ['llama-*', 'meta-llama/*', 'openai/gpt-oss-*', 'qwen/*', 'moonshotai/*', 'whisper-large-*'],
    probe: '/models',
    endpoints: ['chat', 'audio'],
    prefill: 'assistant',
    prices: 'groq',
    priority: 20,
  },
  cerebras: {
    title: 'Cerebras',
    protocol: 'openai',
    baseUrl: 'https://api.cerebras.ai/v1',
    auth: 'bearer',
    keyEnv: ['CEREBRAS_API_KEY'],
    models: ['llama*', 'qwen-*', 'gpt-oss-*', 'zai-glm-*'],
    probe: '/models',
    endpoints: ['chat', 'completions'],
    prices: 'cerebras',
    priority: 20,
  },
  together: {
    title: 'Together',
    protocol: 'openai',
    baseUrl: 'https://api.together.xyz/v1',
    auth: 'bearer',
    keyEnv: ['TOGETHER_API_KEY'],
    models: ['*/*'],
    probe: '/models',
    endpoints: [...TEXT, 'images', 'rerank', 'audio'],
    prices: 'together',
    priority: 30,
  },
  fireworks: {
    title: 'Fireworks',
    protocol: 'openai',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    auth: 'bearer',
    keyEnv: ['FIREWORKS_API_KEY'],
    models: ['accounts/**'],
    probe: '/models',
    endpoints: [...TEXT, 'rerank'],
    prices: 'fireworks',
    priority: 20,
  },
  openrouter: {
    title: 'OpenRouter',
    protocol: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    auth: 'bearer',
    keyEnv: ['OPENROUTER_API_KEY'],
    models: ['*/*'],
    // Its /models answers without a key and so says nothing about one.
    probe: '/key',
    endpoints: [...TEXT, 'rerank', 'images', 'audio'],
    prefill: 'assistant',
    prices: 'openrouter',
    priority: 40,
  },
  blackbox: {
    title: 'Blackbox',
    protocol: 'openai',
    baseUrl: 'https://api.blackbox.ai',
    auth: 'bearer',
    keyEnv: ['BLACKBOX_API_KEY'],
    models: ['blackboxai/**'],
    endpoints: CHAT,
    priority: 40,
  },
  ollama: {
    title: 'Ollama',
    protocol: 'openai',
    baseUrl: 'http://localhost:11434/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: TEXT,
    priority: 50,
  },
  vllm: {
    title: 'vLLM',
    protocol: 'openai',
    baseUrl: 'http://localhost:8000/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'audio', 'rerank'],
    prefill: 'continue_final_message',
    priority: 50,
  },
  llamacpp: {
    title: 'llama.cpp server',
    protocol: 'openai',
    baseUrl: 'http://localhost:8080/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'rerank'],
    prefill: 'assistant',
    priority: 50,
  },
  lmstudio: {
    title: 'LM Studio',
    protocol: 'openai',
    baseUrl: 'http://localhost:1234/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: TEXT,
    priority: 50,
  },
  'openai-compatible': {
    title: 'Any server that speaks the OpenAI API',
    protocol: 'openai',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, ...MEDIA, 'rerank'],
    priority: 50,
  },
  mock: {
    title: 'Built-in provider for tests and demos',
    protocol: 'mock',
    auth: 'none',
    keyEnv: [],
    keyOptional: true,
    models: ['mock', 'mock-*'],
    endpoints: [...TEXT, 'moderations'],
    priority: 90,
  },
} as const satisfies Record<string, Preset>;

export type ProviderType = keyof typeof PRESETS;

export const PROVIDER_TYPES = Object.keys(PRESETS) as [ProviderType, ...ProviderType[]];

export function presetOf(type: ProviderType): Preset {
  return PRESETS[type];
}
