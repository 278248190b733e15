/** The provider in the configuration that represents the one a recording came from. */
import type { Api } from '../read/exchange.ts';
import type { Asker } from '../requests/asking.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';

export type VendorType = ConfigInput['providers'][number]['type'];

export interface Vendor {
  readonly type: VendorType;
  /** The names of its models. A vendor that only answers Responses receives every client's request in that form. */
  readonly model: (number: number) => string;
  /** Clients whose protocol it speaks itself, in addition to chat. */
  readonly speaks: readonly Asker[];
}

const plainModel = (number: number) => `m${number}`;

function vendor(type: VendorType, speaks: readonly Asker[], model = plainModel): Vendor {
  return { type, speaks, model };
}

/** Chat vendors with differences, by their names in the index. */
const CHAT: Readonly<Record<string, Vendor>> = {
  mistral: vendor('mistral', ['chat']),
  together: vendor('together', ['chat']),
  cerebras: vendor('cerebras', ['chat']),
  moonshot: vendor('moonshot', ['chat']),
  zai: vendor('zai', ['chat']),
  perplexity: vendor('perplexity-sonar', ['chat']),
  deepseek: vendor('deepseek', ['chat', 'messages']),
  xai: vendor('xai', ['chat', 'responses']),
  groq: vendor('groq', ['chat', 'responses']),
  openrouter: vendor('openrouter', ['chat', 'responses', 'messages']),
};

export const PLAIN_CHAT = vendor('openai-compatible', ['chat']);

const OTHERS: Readonly<Record<Exclude<Api, 'chat'>, Vendor>> = {
  messages: vendor('anthropic', ['messages']),
  responses: vendor('openai', ['responses'], (number) => `codex-${number}`),
  gemini: vendor('gemini', []),
  converse: vendor('bedrock', []),
  cohere: vendor('cohere', []),
};

/** The provider at which an exchange is replayed, for a client that must be answered from this API. */
export function vendorOf(api: Api, provider: string, client: Asker): Vendor {
  if (api !== 'chat') return OTHERS[api];
  const own = CHAT[provider];
  // A vendor that speaks the client's protocol itself would receive that protocol, not chat.
  return own && (client === 'chat' || !own.speaks.includes(client)) ? own : PLAIN_CHAT;
}

/** Used for embeddings only. */
const VERTEX = vendor('vertex', []);

export const VENDORS: readonly Vendor[] = [
  ...Object.values(CHAT),
  PLAIN_CHAT,
  ...Object.values(OTHERS),
  VERTEX,
];
