/** Which provider of the configuration stands for the one that a recording came from. */
import type { Api } from '../read/exchange.ts';
import type { Asker } from '../requests/asking.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';

export type VendorType = ConfigInput['providers'][number]['type'];

export interface Vendor {
  readonly type: VendorType;
  /** How its models are named here. One that answers by Responses alone is asked so by every client. */
  readonly model: (number: number) => string;
  /** Clients whose protocol it speaks itself besides chat. */
  readonly speaks: readonly Asker[];
}

const plainModel = (number: number) => `m${number}`;

function vendor(type: VendorType, speaks: readonly Asker[], model = plainModel): Vendor {
  return { type, speaks, model };
}

/** By the index's names: vendors of chat that do something otherwise. */
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

/** The provider that an exchange is replayed at, for a client that is to be answered from this very API. */
export function vendorOf(api: Api, provider: string, client: Asker): Vendor {
  if (api !== 'chat') return OTHERS[api];
  const own = CHAT[provider];
  // A vendor that speaks the client's protocol itself would be asked in that, not in chat.
  return own && (client === 'chat' || !own.speaks.includes(client)) ? own : PLAIN_CHAT;
}

/** Asked for embeddings alone. */
const VERTEX = vendor('vertex', []);

export const VENDORS: readonly Vendor[] = [
  ...Object.values(CHAT),
  PLAIN_CHAT,
  ...Object.values(OTHERS),
  VERTEX,
];
