/** Handwritten recordings: an answer as a value, as an exchange of its protocol. */
import type { Api, Recorded } from '../read/exchange.ts';
import type { Json } from '../read/json.ts';
import { chunks } from '../read/files.ts';

const PATHS: Readonly<Record<Api, string>> = {
  chat: 'https://api.openai.com/v1/chat/completions',
  messages: 'https://api.anthropic.com/v1/messages',
  responses: 'https://api.openai.com/v1/responses',
  gemini: '/v1beta/models/m:generateContent',
  converse: '/model/m/converse',
  cohere: '/v2/chat',
};

const PROVIDERS: Readonly<Record<Api, string>> = {
  chat: 'openai',
  messages: 'anthropic',
  responses: 'openai',
  gemini: 'gemini',
  converse: 'bedrock',
  cohere: 'cohere',
};

/** An unstreamed answer. */
export function whole(name: string, api: Api, body: Json, status = 200): Recorded {
  return {
    file: name,
    at: 0,
    provider: PROVIDERS[api],
    method: 'POST',
    url: PATHS[api],
    request: undefined,
    status,
    headers: new Headers({ 'content-type': 'application/json' }),
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

/** A stream of these events. */
export function stream(name: string, api: Api, events: readonly Json[]): Recorded {
  const lines = events.map((event) => JSON.stringify(event)).join('\n');
  const [found] = chunks(lines, { file: name, provider: PROVIDERS[api] });
  if (!found) throw new Error(`${name} is no stream of ${api}`);
  return { ...found, url: PATHS[api] };
}
