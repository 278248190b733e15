/** LiteLLM's names of vendors. @see https://docs.litellm.ai/docs/providers */
import type { Given } from './given.ts';
import { COMPATIBLE_VENDORS } from './litellm-hosts.ts';

export interface Vendor {
  readonly type: string;
  /** The variable of its key if the file has none. */
  readonly keyEnv?: string;
  /** Its URL, unless the type implies it. */
  readonly baseUrl?: string;
  /** The required ending of its URL. */
  readonly path?: string;
}

export const VENDORS: Readonly<Record<string, Vendor>> = {
  ...COMPATIBLE_VENDORS,
  openai: { type: 'openai', keyEnv: 'OPENAI_API_KEY' },
  'text-completion-openai': { type: 'openai', keyEnv: 'OPENAI_API_KEY' },
  azure: { type: 'azure', keyEnv: 'AZURE_API_KEY' },
  azure_text: { type: 'azure', keyEnv: 'AZURE_API_KEY' },
  azure_ai: { type: 'openai-compatible', keyEnv: 'AZURE_AI_API_KEY' },
  anthropic: { type: 'anthropic', keyEnv: 'ANTHROPIC_API_KEY' },
  gemini: { type: 'gemini', keyEnv: 'GEMINI_API_KEY' },
  vertex_ai: { type: 'vertex' },
  vertex_ai_beta: { type: 'vertex' },
  bedrock: { type: 'bedrock' },
  bedrock_converse: { type: 'bedrock' },
  cohere: { type: 'cohere', keyEnv: 'COHERE_API_KEY' },
  cohere_chat: { type: 'cohere', keyEnv: 'COHERE_API_KEY' },
  mistral: { type: 'mistral', keyEnv: 'MISTRAL_API_KEY' },
  codestral: { type: 'mistral', keyEnv: 'CODESTRAL_API_KEY', baseUrl: 'https://codestral.mistral.ai/v1' },
  deepseek: { type: 'deepseek', keyEnv: 'DEEPSEEK_API_KEY' },
  xai: { type: 'xai', keyEnv: 'XAI_API_KEY' },
  perplexity: { type: 'perplexity', keyEnv: 'PERPLEXITYAI_API_KEY' },
  groq: { type: 'groq', keyEnv: 'GROQ_API_KEY' },
  cerebras: { type: 'cerebras', keyEnv: 'CEREBRAS_API_KEY' },
  together_ai: { type: 'together', keyEnv: 'TOGETHERAI_API_KEY' },
  fireworks_ai: { type: 'fireworks', keyEnv: 'FIREWORKS_AI_API_KEY' },
  openrouter: { type: 'openrouter', keyEnv: 'OPENROUTER_API_KEY' },
  moonshot: { type: 'moonshot', keyEnv: 'MOONSHOT_API_KEY' },
  zai: { type: 'zai', keyEnv: 'ZAI_API_KEY' },
  huggingface: { type: 'huggingface', keyEnv: 'HUGGINGFACE_API_KEY' },
  ollama: { type: 'ollama', path: '/v1' },
  ollama_chat: { type: 'ollama', path: '/v1' },
  hosted_vllm: { type: 'vllm' },
  vllm: { type: 'vllm' },
  lm_studio: { type: 'lmstudio' },
  custom_openai: { type: 'openai-compatible' },
  openai_like: { type: 'openai-compatible' },
  llamafile: { type: 'openai-compatible', baseUrl: 'http://127.0.0.1:8080/v1' },
  litellm_proxy: { type: 'openai-compatible', keyEnv: 'LITELLM_PROXY_API_KEY' },
  databricks: { type: 'openai-compatible', keyEnv: 'DATABRICKS_API_KEY' },
};

/**
 * Azure AI Foundry serves Claude by Anthropic's API, and other models by OpenAI's. Servers of single models have other
 * addresses.
 */
export function azureAi(model: string, params: Given): Vendor {
  const { azure_ai: vendor } = VENDORS;
  if (/^claude/i.test(model)) return { ...vendor!, type: 'anthropic', path: '/anthropic' };
  const isFoundry = /\.(?:services\.ai|openai)\.azure\.com\b/.test(params.text('api_base', 'base_url') ?? '');
  return isFoundry ? { ...vendor!, type: 'azure' } : vendor!;
}

/** The vendors of models whose names do not contain one. */
const BARE: readonly (readonly [model: RegExp, vendor: string])[] = [
  [
    /^(?:gpt-|chatgpt-|o\d|text-embedding-|dall-e|whisper|tts-|omni-moderation|davinci|babbage|ft:)/,
    'openai',
  ],
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'vertex_ai'],
  [/^(?:command|embed-|rerank-)/, 'cohere'],
  [/^(?:us\.|eu\.|apac\.|global\.)?(?:anthropic|amazon|meta|mistral|cohere|ai21)\./, 'bedrock'],
];

export interface Named {
  /** LiteLLM's name of the vendor; `undefined` if it is unknown. */
  readonly vendor: string | undefined;
  /** The vendor's name of the model. */
  readonly model: string;
}

/** Splits "vendor/model". @param declared the vendor, if the file names it separately */
export function namedModel(written: string, declared: string | undefined): Named {
  if (declared !== undefined && !written.startsWith(`${declared}/`))
    return { vendor: declared, model: written };
  const [first, ...rest] = written.split('/');
  if (rest.length > 0 && (declared !== undefined || Object.hasOwn(VENDORS, first!)))
    return { vendor: first!, model: bare(first!, rest.join('/')) };
  const vendor = BARE.find(([model]) => model.test(written))?.[1];
  if (vendor !== undefined) return { vendor, model: written };
  return rest.length > 0 ? { vendor: first!, model: rest.join('/') } : { vendor: undefined, model: written };
}

/** Removes the names of APIs between vendor and model. */
function bare(vendor: string, model: string): string {
  if (vendor.startsWith('bedrock')) return model.replace(/^(?:converse|converse_like|invoke)\//, '');
  if (vendor === 'azure') return model.replace(/^(?:o_series|gpt5_series|responses)\//, '');
  if (vendor === 'openai') return model.replace(/^responses\//, '');
  return model;
}
