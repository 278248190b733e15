import type { Endpoint } from '../wire/endpoints.ts';

/** The endpoint whose protocol a client speaks that called none: Anthropic's clients say so in a header. */
export function speaking({ headers, url }: Pick<Request, 'headers' | 'url'>): Endpoint {
  return headers.has('anthropic-version') || /^[^?]*\/messages(?:[/?]|$)/.test(url) ? 'messages' : 'chat';
}
