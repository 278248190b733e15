import type { ProxyError } from '../errors.ts';

/**
 * The code of an error for clients of OpenAI's APIs: the provider's own, unless it merely repeats a status, as Google's
 * does, or is one at which clients shorten the conversation.
 */
export function clientErrorCode({ upstream, rule, fault }: ProxyError): string {
  const own = upstream?.code;
  if (own === undefined || fault === 'context_length') return rule.code;
  return /^\d+$/.test(own) ? rule.code : own;
}
