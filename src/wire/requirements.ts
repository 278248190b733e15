/** Requirements on a request that hold for every provider's protocol. */
import type { ChatRequest } from './chat.ts';
import { ProxyError } from '../errors.ts';
import { asksForMore } from './facts/asked.ts';

/** @throws ProxyError `invalid_request` */
export function requireMessages({ messages }: ChatRequest): void {
  if (Array.isArray(messages) && messages.length > 0) return;
  throw new ProxyError('invalid_request', 'Cannot translate messages: expected a list of messages', {
    param: 'messages',
  });
}

/** Names the field that asks for more than one answer, for protocols that return only one. */
export function moreThanOne({ n }: ChatRequest): string[] {
  return (n ?? 1) === 1 ? [] : ['n'];
}

/** Which of these fields of the request ask for anything. */
export function given(request: ChatRequest, names: readonly string[]): string[] {
  return names.filter((name) => asksForMore(name, request[name]));
}

/** Fields of chat that hardly any other protocol supports. */
export const OPENAI_ONLY = ['logit_bias', 'audio', 'modalities', 'prediction'] as const;

/** Sampling fields that many protocols do not support. */
export const TUNING = ['logprobs', 'top_logprobs', 'seed', 'presence_penalty', 'frequency_penalty'] as const;
