/** The paths of requests, which depend on how users write the base URL in their clients. */
import { getPath } from 'hono/utils/url';

/** The path of a request. Without a Host header, as in HTTP/1.0, its URL is the path alone. */
export function pathOf(request: Request): string {
  return getPath(request.url.startsWith('/') ? new Request(`http://localhost${request.url}`) : request);
}

const VERSION = 'v1(?:alpha|beta)?';
const SLASHES = /\/{2,}/g;
const LAST_SLASH = /(?<=.)\/$/;
/** A version in the base URL of a client that adds one itself. */
const TWICE = new RegExp(`/${VERSION}(?=/${VERSION}/)`);
/** The directories of OpenRouter's API, and of other vendors' endpoints for Anthropic's clients. */
const DIRECTORY = /\/(?:api|anthropic)(?=\/v1\/)/;
/** The second version of Cohere's API, whose rerank has the form of the first one. */
const SECOND = /(?:\/v1)?\/v2(?=\/rerank$)/;
const UNUSUAL = new RegExp(
  [SLASHES, LAST_SLASH, TWICE, DIRECTORY, SECOND].map(({ source }) => source).join('|'),
);

/**
 * The path without what a base URL has too much of: a slash at its end, the version, which most clients add themselves,
 * or the directory or version of another vendor. `undefined` if it has nothing of that.
 */
export function usualPath(path: string): string | undefined {
  if (!UNUSUAL.test(path)) return undefined;
  const plain = path.replace(SLASHES, '/').replace(LAST_SLASH, '');
  return plain.replace(TWICE, '').replace(DIRECTORY, '').replace(SECOND, '/v1');
}
