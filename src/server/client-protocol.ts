import type { Endpoint } from '../wire/endpoints.ts';
import { isGeminiPath } from '../wire/gemini/path.ts';

/**
 * The endpoint whose protocol a client uses that requested none: Anthropic's and Google's clients are recognised by
 * headers, or by paths that only they use.
 */
export function clientProtocol({ headers, url }: Pick<Request, 'headers' | 'url'>): Endpoint {
  const [, path = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/.exec(url) ?? [];
  if (headers.has('anthropic-version') || /\/messages(?:\/|$)/.test(path)) return 'messages';
  if (OLLAMAS.test(path)) return 'ollama.chat';
  // These paths are not Google's pages, whatever their query parameters are called.
  if (/\/(?:feedback|usage)$/.test(path)) return 'chat';
  const isGoogles = headers.has('x-goog-api-key') || headers.has('x-goog-api-client');
  return isGoogles || isGeminiPath(path) || /[?&]key=/.test(url) ? 'gemini' : 'chat';
}

/** Paths of Ollama's own API, including those that it does not have. */
const OLLAMAS = /\/api\/\w+(?:\/[^/]*)?$/;
