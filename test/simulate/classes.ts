/** Kinds of client requests: an endpoint, streamed or not. */
export const CLASSES = {
  chat: { endpoint: 'chat', path: '/v1/chat/completions', stream: false },
  'chat streamed': { endpoint: 'chat', path: '/v1/chat/completions', stream: true },
  messages: { endpoint: 'messages', path: '/v1/messages', stream: false },
  'messages streamed': { endpoint: 'messages', path: '/v1/messages', stream: true },
  responses: { endpoint: 'responses', path: '/v1/responses', stream: false },
  'responses streamed': { endpoint: 'responses', path: '/v1/responses', stream: true },
  count: { endpoint: 'messages.count_tokens', path: '/v1/messages/count_tokens', stream: false },
} as const;

export type ClassName = keyof typeof CLASSES;

export const CLASS_NAMES = Object.keys(CLASSES) as ClassName[];

export type Protocol = 'openai' | 'anthropic';

/** The provider's path for a class; `undefined` if the proxy answers by itself. */
export function wirePath(protocol: Protocol, name: ClassName): string | undefined {
  if (name === 'count') return protocol === 'anthropic' ? '/v1/messages/count_tokens' : undefined;
  return protocol === 'anthropic' ? '/v1/messages' : '/v1/chat/completions';
}
