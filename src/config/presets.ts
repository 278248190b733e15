/**
 * The vendors, as data. A vendor that speaks a known protocol is a row here; only a new protocol needs code.
 * The table is part of the configuration because `type:` is validated and completed against it.
 */

/** The protocol a vendor speaks. */
export type Api = 'openai' | 'anthropic' | 'gemini' | 'vertex' | 'bedrock' | 'cohere' | 'mock' | 'plugin';

/** How a key is sent: as `Authorization: Bearer`, in a header of this name, or not at all. */
export type AuthScheme = 'bearer' | 'x-api-key' | 'api-key' | 'x-goog-api-key' | 'none';

/** An alias of one of the vendor's models. */
interface PresetModel {
  readonly name: string;
  readonly upstream: string;
}

export interface Preset {
  readonly title: string;
  readonly api: Api;
  /** Without a trailing slash; `undefined` if every account has its own and `base_url` is required. */
  readonly baseUrl?: string;
  readonly auth: AuthScheme;
  /** Environment variables that may hold the key, in order of precedence. Empty for servers that need none. */
  readonly keyEnv: readonly string[];
  /** Whether its address is derived from `region` or `project`, or it has none. */
  readonly located?: true;
  /** Globs of the models it serves if the configuration lists none. */
  readonly models: readonly (string | PresetModel)[];
  /** The path of a free endpoint that shows whether the service is up, relative to the base URL. */
  readonly probe?: string;
  /** The path of its list of models, relative to the base URL; `probe` by default. */
  readonly list?: string;
  /** The families of endpoints that it serves; see `wire/endpoints.ts`. */
  readonly endpoints: readonly string[];
  /** Client APIs that it speaks besides chat, by endpoint, with their paths; empty for the usual path. */
  readonly also?: Readonly<Record<string, string>>;
  /** Models that are available through the Responses API only. */
  readonly onlyResponses?: RegExp;
  /** Whether it stores responses, which can then be read by their IDs. */
  readonly storesResponses?: true;
  /** How its models accept a prefix of their answer, if they do; see `wire/continue.ts`. */
  readonly prefill?: 'assistant' | 'prefix' | 'continue_final_message';
  /** The provider's id in the price table, if it has one. */
  readonly prices?: string;
  /** Whether the key is optional, as it is for local servers. */
  readonly keyOptional?: true;
  /** The order among providers found in the environment, lowest first. Aggregators come last. */
  readonly priority: number;
}

const CHAT = ['chat'] as const;
const TEXT = ['chat', 'completions', 'embeddings'] as const;
const MEDIA = ['moderations', 'images', 'audio'] as const;

/** The realtime APIs of OpenAI and of Gemini. */
const REALTIME = 'realtime';
const LIVE = 'live';

/** The other client APIs, at their usual paths. */
const RESPONSES = { responses: '' } as const;
const MESSAGES = { messages: '' } as const;
/** Ollama's own API is beside the version path that its base URL ends with. */
const OLLAMAS_OWN = {
  'ollama.chat': '/../api/chat',
  'ollama.generate': '/../api/generate',
  'ollama.embed': '/../api/embed',
  'ollama.embeddings': '/../api/embeddings',
} as const;

/** OpenAI's models that are available through the Responses API only. @see https://platform.openai.com/docs/models */
const ONLY_RESPONSES = /^codex-|-codex(?:-|$)|^o\d+-pro|^gpt-5[.\d]*-pro|deep-research|^computer-use/;

export const PRESETS = {
  openai: {
    title: 'OpenAI',
    api: 'openai',
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
    endpoints: [...TEXT, ...MEDIA, REALTIME],
    also: { ...RESPONSES, 'responses.input_tokens': '', 'responses.compact': '' },
    onlyResponses: ONLY_RESPONSES,
    storesResponses: true,
    prices: 'openai',
    priority: 10,
  },
  anthropic: {
    title: 'Anthropic',
    api: 'anthropic',
    baseUrl: 'https://api.anthropic.com',
    auth: 'x-api-key',
    keyEnv: ['ANTHROPIC_API_KEY'],
    models: ['claude-*'],
    probe: '/v1/models',
    list: '/v1/models?limit=1000',
    endpoints: CHAT,
    prefill: 'assistant',
    prices: 'anthropic',
    priority: 10,
  },
  gemini: {
    title: 'Gemini',
    api: 'gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    auth: 'x-goog-api-key',
    keyEnv: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    models: ['gemini-*', 'gemma-*', 'text-embedding-004'],
    probe: '/models?pageSize=1',
    list: '/models?pageSize=1000',
    endpoints: ['chat', 'embeddings', LIVE],
    prices: 'google',
    priority: 10,
  },
  vertex: {
    title: 'Google Cloud Vertex AI',
    api: 'vertex',
    located: true,
    auth: 'x-goog-api-key',
    keyEnv: [],
    models: ['gemini-*', 'claude-*', 'text-embedding-*', '*/*'],
    endpoints: ['chat', 'embeddings', LIVE],
    prices: 'google',
    priority: 20,
  },
  bedrock: {
    title: 'AWS Bedrock (Converse)',
    api: 'bedrock',
    located: true,
    auth: 'bearer',
    keyEnv: ['AWS_BEARER_TOKEN_BEDROCK'],
    models: [
      '{us.,eu.,apac.,global.,}{anthropic,amazon,meta,mistral,cohere,ai21,deepseek,openai,qwen}.*',
      'arn:aws:bedrock:**',
    ],
    endpoints: ['chat', 'embeddings'],
    prices: 'aws',
    priority: 20,
  },
  cohere: {
    title: 'Cohere',
    api: 'cohere',
    baseUrl: 'https://api.cohere.com',
    auth: 'bearer',
    keyEnv: ['COHERE_API_KEY', 'CO_API_KEY'],
    models: ['command-*', 'c4ai-*', 'embed-*', 'rerank-*'],
    probe: '/v1/models',
    list: '/v1/models?page_size=1000',
    endpoints: ['chat', 'embeddings', 'rerank'],
    prices: 'cohere',
    priority: 10,
  },
  azure: {
    title: 'Azure OpenAI (v1 API)',
    api: 'openai',
    auth: 'api-key',
    keyEnv: ['AZURE_OPENAI_API_KEY'],
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'images', 'audio', REALTIME],
    also: RESPONSES,
    // Deployments are usually named after their models.
    onlyResponses: ONLY_RESPONSES,
    storesResponses: true,
    prices: 'azure',
    priority: 20,
  },
  mistral: {
    title: 'Mistral',
    api: 'openai',
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
    api: 'openai',
    baseUrl: 'https://api.deepseek.com',
    auth: 'bearer',
    keyEnv: ['DEEPSEEK_API_KEY'],
    models: ['deepseek-*'],
    probe: '/models',
    endpoints: CHAT,
    also: { messages: '/anthropic/v1/messages' },
    prices: 'deepseek',
    priority: 10,
  },
  xai: {
    title: 'xAI (Grok)',
    api: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    auth: 'bearer',
    keyEnv: ['XAI_API_KEY', 'GROK_API_KEY'],
    models: ['grok-*'],
    probe: '/models',
    endpoints: ['chat', 'completions', 'images', REALTIME],
    also: RESPONSES,
    // https://docs.x.ai/developers/model-capabilities/text/generate-text
    storesResponses: true,
    prices: 'x-ai',
    priority: 10,
  },
  grok: {
    title: 'xAI, under its other name',
    api: 'openai',
    baseUrl: 'https://api.x.ai/v1',
    auth: 'bearer',
    keyEnv: ['GROK_API_KEY', 'XAI_API_KEY'],
    models: ['grok-*'],
    probe: '/models',
    endpoints: ['chat', 'completions', 'images', REALTIME],
    also: RESPONSES,
    // https://docs.x.ai/developers/model-capabilities/text/generate-text
    storesResponses: true,
    prices: 'x-ai',
    priority: 10,
  },
  perplexity: {
    title: 'Perplexity (Agent API)',
    api: 'openai',
    baseUrl: 'https://api.perplexity.ai/v1',
    auth: 'bearer',
    keyEnv: ['PERPLEXITY_API_KEY'],
    models: ['perplexity/*', { name: 'sonar', upstream: 'perplexity/sonar' }],
    probe: '/models',
    endpoints: CHAT,
    also: RESPONSES,
    onlyResponses: /./,
    prices: 'perplexity',
    priority: 10,
  },
  'perplexity-sonar': {
    title: 'Perplexity (sonar chat, the older API)',
    api: 'openai',
    baseUrl: 'https://api.perplexity.ai',
    auth: 'bearer',
    keyEnv: ['PERPLEXITY_API_KEY'],
    models: ['sonar', 'sonar-*'],
    probe: '/v1/models',
    endpoints: CHAT,
    prices: 'perplexity',
    priority: 30,
  },
  groq: {
    title: 'Groq',
    api: 'openai',
    baseUrl: 'https://api.groq.com/openai/v1',
    auth: 'bearer',
    keyEnv: ['GROQ_API_KEY'],
    models: ['llama-*', 'meta-llama/*', 'openai/gpt-oss-*', 'qwen/*', 'moonshotai/*', 'whisper-large-*'],
    probe: '/models',
    endpoints: ['chat', 'audio'],
    also: RESPONSES,
    prefill: 'assistant',
    prices: 'groq',
    priority: 20,
  },
  cerebras: {
    title: 'Cerebras',
    api: 'openai',
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
    api: 'openai',
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
    api: 'openai',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    auth: 'bearer',
    keyEnv: ['FIREWORKS_API_KEY'],
    models: ['accounts/**'],
    probe: '/models',
    endpoints: [...TEXT, 'rerank'],
    also: { ...RESPONSES, ...MESSAGES },
    // https://docs.fireworks.ai/guides/response-api
    storesResponses: true,
    prices: 'fireworks',
    priority: 20,
  },
  openrouter: {
    title: 'OpenRouter',
    api: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    auth: 'bearer',
    keyEnv: ['OPENROUTER_API_KEY'],
    models: ['*/*'],
    // Its /models works without a key, so it does not show whether the key is valid.
    probe: '/key',
    list: '/models',
    endpoints: [...TEXT, 'rerank', 'images', 'audio'],
    also: { ...RESPONSES, ...MESSAGES },
    prefill: 'assistant',
    prices: 'openrouter',
    priority: 40,
  },
  blackbox: {
    title: 'Blackbox',
    api: 'openai',
    baseUrl: 'https://api.blackbox.ai',
    auth: 'bearer',
    keyEnv: ['BLACKBOX_API_KEY'],
    models: ['blackboxai/**'],
    endpoints: CHAT,
    priority: 40,
  },
  moonshot: {
    title: 'Moonshot (Kimi)',
    api: 'openai',
    baseUrl: 'https://api.moonshot.ai/v1',
    auth: 'bearer',
    keyEnv: ['MOONSHOT_API_KEY'],
    models: ['kimi-*', 'moonshot-*'],
    probe: '/models',
    endpoints: CHAT,
    prices: 'moonshotai',
    priority: 20,
  },
  zai: {
    title: 'Z.ai (GLM)',
    api: 'openai',
    baseUrl: 'https://api.z.ai/api/paas/v4',
    auth: 'bearer',
    keyEnv: ['ZAI_API_KEY'],
    models: ['glm-*'],
    endpoints: CHAT,
    prices: 'zai',
    priority: 20,
  },
  huggingface: {
    title: 'Hugging Face Inference',
    api: 'openai',
    baseUrl: 'https://router.huggingface.co/v1',
    auth: 'bearer',
    keyEnv: ['HF_TOKEN'],
    models: ['*/*'],
    probe: '/models',
    endpoints: CHAT,
    prices: 'huggingface',
    priority: 40,
  },
  ollama: {
    title: 'Ollama',
    api: 'openai',
    baseUrl: 'http://localhost:11434/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: TEXT,
    also: { ...RESPONSES, ...MESSAGES, ...OLLAMAS_OWN },
    priority: 50,
  },
  vllm: {
    title: 'vLLM',
    api: 'openai',
    baseUrl: 'http://localhost:8000/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'audio', 'rerank'],
    also: { ...RESPONSES, ...MESSAGES, 'messages.count_tokens': '' },
    // If it is started with VLLM_ENABLE_RESPONSES_API_STORE.
    storesResponses: true,
    prefill: 'continue_final_message',
    priority: 50,
  },
  llamacpp: {
    title: 'llama.cpp server',
    api: 'openai',
    baseUrl: 'http://localhost:8080/v1',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, 'rerank'],
    also: { ...RESPONSES, ...MESSAGES, 'messages.count_tokens': '' },
    prefill: 'assistant',
    priority: 50,
  },
  lmstudio: {
    title: 'LM Studio',
    api: 'openai',
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
    title: 'Any server with an OpenAI-compatible API',
    api: 'openai',
    auth: 'bearer',
    keyEnv: [],
    keyOptional: true,
    models: [],
    probe: '/models',
    endpoints: [...TEXT, ...MEDIA, 'rerank', REALTIME],
    priority: 50,
  },
  mock: {
    title: 'Built-in provider for tests and demos',
    api: 'mock',
    auth: 'none',
    keyEnv: [],
    keyOptional: true,
    models: ['mock', 'mock-*'],
    endpoints: [...TEXT, 'moderations'],
    located: true,
    priority: 90,
  },
} as const satisfies Record<string, Preset>;

export type ProviderType = keyof typeof PRESETS;

export const PROVIDER_TYPES = Object.keys(PRESETS) as [ProviderType, ...ProviderType[]];

/** The preset of types that plugins add: the rest is defined by their code. */
const OF_PLUGINS: Preset = {
  title: 'Code of a plugin',
  api: 'plugin',
  auth: 'bearer',
  keyEnv: [],
  keyOptional: true,
  located: true,
  models: [],
  endpoints: CHAT,
  priority: 50,
};

/** Whether a type is built in. */
export function isBuiltIn(type: string): type is ProviderType {
  return Object.hasOwn(PRESETS, type);
}

/** The preset of a type; all types that are not built in share one. */
export function presetOf(type: string): Preset {
  return isBuiltIn(type) ? PRESETS[type] : OF_PLUGINS;
}
