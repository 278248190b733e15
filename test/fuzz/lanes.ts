/** The providers behind the proxy: one for each way in which providers are called, all at the scripted upstream. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Endpoint } from '../../src/wire/endpoints.ts';

type ProviderInput = ConfigInput['providers'][number];

export interface Lane {
  readonly name: string;
  readonly type: ProviderInput['type'];
  /** The path below the upstream's address. */
  readonly base: string;
  /** The provider's name of a model. @param token identifies the case */
  readonly model: (token: string) => string;
  /** What it serves in addition to the endpoints that every provider serves. */
  readonly also: readonly Endpoint[];
  readonly more?: Partial<ProviderInput>;
}

const plain = (token: string) => token;
const MEDIA = [
  'moderations',
  'images.generations',
  'images.edits',
  'images.variations',
  'audio.speech',
  'audio.transcriptions',
  'audio.translations',
] as const satisfies Endpoint[];
const TEXT = ['completions', 'embeddings'] as const satisfies Endpoint[];

export const LANES: readonly Lane[] = [
  {
    name: 'openai',
    type: 'openai',
    base: '/v1',
    model: plain,
    also: [...TEXT, ...MEDIA, 'responses.compact'],
  },
  {
    name: 'compatible',
    type: 'openai-compatible',
    base: '/v1',
    model: plain,
    also: [...TEXT, ...MEDIA, 'rerank'],
  },
  { name: 'anthropic', type: 'anthropic', base: '', model: plain, also: [] },
  {
    name: 'gemini',
    type: 'gemini',
    base: '/v1beta',
    model: (token) => `gemini-${token}`,
    also: ['embeddings'],
  },
  { name: 'bedrock', type: 'bedrock', base: '', model: (token) => `anthropic.claude-${token}`, also: [] },
  {
    name: 'titan',
    type: 'bedrock',
    base: '',
    model: (token) => `amazon.titan-embed-${token}`,
    also: ['embeddings'],
  },
  { name: 'cohere', type: 'cohere', base: '', model: plain, also: ['embeddings', 'rerank'] },
  { name: 'responses', type: 'perplexity', base: '/v1', model: plain, also: [] },
  { name: 'azure', type: 'azure', base: '/openai/v1', model: plain, also: [...TEXT, 'audio.transcriptions'] },
  { name: 'deepseek', type: 'deepseek', base: '', model: plain, also: [] },
  { name: 'mistral', type: 'mistral', base: '/v1', model: plain, also: ['embeddings'] },
  { name: 'vllm', type: 'vllm', base: '/v1', model: plain, also: [...TEXT, 'rerank'] },
  { name: 'ollama', type: 'ollama', base: '/v1', model: plain, also: [...TEXT] },
  { name: 'vertex', type: 'vertex', base: '', model: (token) => `gemini-${token}`, also: ['embeddings'] },
  { name: 'vertex-claude', type: 'vertex', base: '', model: (token) => `claude-${token}`, also: [] },
  { name: 'vertex-open', type: 'vertex', base: '', model: (token) => `meta/${token}`, also: [] },
];

/** Endpoints that every provider can answer. */
const EVERYWHERE = [
  'chat',
  'messages',
  'responses',
  'gemini',
  'gemini.interactions',
  'ollama.chat',
  'ollama.generate',
  'messages.count_tokens',
  'responses.input_tokens',
  'gemini.count_tokens',
] as const;

/** APIs for embeddings other than OpenAI's, which are available with the same providers. */
const EMBEDDINGS = [
  'gemini.embed',
  'gemini.batch_embed',
  'gemini.predict',
  'ollama.embed',
  'ollama.embeddings',
] as const;

/** The endpoints of a lane; those of chat occur more than once, so that they are drawn more often. */
export function endpointsOf({ also }: Lane): readonly Endpoint[] {
  const main = EVERYWHERE.slice(0, 6);
  const embeds = also.some((name) => name === 'embeddings');
  return [...main, ...main, ...main, ...EVERYWHERE, ...also, ...also, ...(embeds ? EMBEDDINGS : [])];
}

/** Concurrent requests; each has its own providers, so that no cooldown affects another. */
export const SLOTS = 12;

/**
 * How long the configuration allows providers to be silent, in milliseconds. Unmutated providers are never slow, but
 * the machine may be.
 */
const WAIT_MS = { request: 8_000, answer: 1_500 } as const;
/** How long it allows one request to take; a request that takes much longer counts as hung. */
export const DEADLINE_MS = 10_000;

/** The token of a case in the model name, by which the upstream recognizes the case. */
export function tokenOf(number: number): string {
  return `fz-${number}z`;
}

/** The model name that a client requests. */
export function modelOf(lane: Lane, slot: number, token: string): string {
  return `${lane.name}-${slot}/${lane.model(token)}`;
}

/**
 * Makes the configuration of a proxy.
 * @param upstream its URL
 * @param side what is mutated: providers of mutated answers recover at once, so that each case finds them ready; those
 * behind mutated requests send valid answers, so that any failure counted against them puts them on cooldown
 */
export function configOf(upstream: string, directory: string, side: 'request' | 'answer'): ConfigInput {
  const wait = `${WAIT_MS[side]}ms`;
  const providers = LANES.flatMap((lane) =>
    Array.from({ length: SLOTS }, (_, slot): ProviderInput => ({
      name: `${lane.name}-${slot}`,
      type: lane.type,
      base_url: `${upstream}${lane.base}`,
      api_key: `key-of-${lane.name}-${slot}`,
      // A name without a provider matches no target; otherwise it would match all of them.
      models: ['*fz-*', '*/fz-*'],
      max_retries: 1,
      retry_delay: '1ms',
      timeout: { connect: wait, first_byte: wait, first_content: wait, idle: wait, total: '9s' },
      ...lane.more,
    })),
  );
  return {
    providers,
    routing: {
      deadline: `${DEADLINE_MS}ms`,
      max_retry_delay: '5ms',
      max_retry_after: side === 'answer' ? '1ms' : '10s',
      wait_budget: '0s',
      breaker:
        side === 'answer'
          ? { failures: 1_000_000, min_calls: 1_000_000, cooldown: '1ms', max_cooldown: '1ms' }
          : { failures: 1, cooldown: '10s', max_cooldown: '10s' },
    },
    limits: { max_body: '8MiB', max_response: '16MiB', body_timeout: '1500ms', client_stall: '3s' },
    health: { probe: 'never' },
    logging: {
      level: 'warn',
      requests: { directory, flush_interval: '20ms', max_content: '256KiB' },
    },
  };
}
