/** What every provider's protocol asks of a request before it can be said there. */
import type { ChatRequest } from './chat.ts';
import { ProxyError } from '../errors.ts';

/** @throws ProxyError `invalid_request` */
export function demandMessages({ messages }: ChatRequest): void {
  if (Array.isArray(messages) && messages.length > 0) return;
  throw new ProxyError('invalid_request', 'Cannot translate messages: expected a list of messages', {
    param: 'messages',
  });
}

/** Names what asks for more than one answer, for those that give one a request. */
export function moreThanOne({ n }: ChatRequest): string[] {
  return (n ?? 1) === 1 ? [] : ['n'];
}

/** What of these fields a request says. */
export function given(request: ChatRequest, names: readonly string[]): string[] {
  return names.filter((name) => request[name] !== undefined && request[name] !== null);
}

/** Fields of chat that hardly another protocol has a counterpart of. */
export const OPENAIS_OWN = ['logit_bias', 'audio', 'modalities', 'prediction'] as const;

/** Fields that tune an answer, and that many protocols have no counterpart of. */
export const TUNING = ['logprobs', 'top_logprobs', 'seed', 'presence_penalty', 'frequency_penalty'] as const;
