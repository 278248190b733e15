/** The names in the GenAI conventions. @see https://github.com/open-telemetry/semantic-conventions-genai */

/** Operations by endpoint; others are named after the endpoint. */
const OPERATIONS: Readonly<Record<string, string>> = {
  chat: 'chat',
  messages: 'chat',
  responses: 'chat',
  generate: 'generate_content',
  completions: 'text_completion',
  embeddings: 'embeddings',
};

export function operationOf(endpoint: string): string {
  return Object.hasOwn(OPERATIONS, endpoint) ? OPERATIONS[endpoint]! : endpoint;
}

/** Providers by their type in the configuration; others are named after it. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
  grok: 'x_ai',
  'perplexity-sonar': 'perplexity',
};

export function providerNameOf(type: string): string {
  return Object.hasOwn(PROVIDERS, type) ? PROVIDERS[type]! : type;
}

/** Names that differ between versions of the conventions. */
export interface Conventions {
  readonly cacheWrite: string;
  readonly duration: (operation: string) => string;
  readonly firstChunk: string;
  /** Whether tokens are one histogram with a type attribute, or separate counters and histograms. */
  readonly tokensByType: boolean;
}

export const CONVENTIONS: Readonly<Record<'latest' | '1.41', Conventions>> = {
  latest: {
    cacheWrite: 'gen_ai.usage.cache_write.input_tokens',
    duration: (operation) =>
      INFERENCE.has(operation) ? 'gen_ai.client.inference.duration' : 'gen_ai.client.operation.duration',
    firstChunk: 'gen_ai.client.inference.time_to_first_chunk',
    tokensByType: false,
  },
  '1.41': {
    cacheWrite: 'gen_ai.usage.cache_creation.input_tokens',
    duration: () => 'gen_ai.client.operation.duration',
    firstChunk: 'gen_ai.client.operation.time_to_first_chunk',
    tokensByType: true,
  },
};

/** The operations that are inferences: the others have metrics of their own. */
const INFERENCE: ReadonlySet<string> = new Set(['chat', 'generate_content', 'text_completion']);

export function isInference(operation: string): boolean {
  return INFERENCE.has(operation);
}

/** The address of a provider, as spans show it. */
export interface ProviderPlace {
  /** The type in the configuration. */
  readonly type: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

export type PlaceOf = (provider: string) => ProviderPlace | undefined;
