/**
 * Which headers travel. Both directions are allow lists: credentials, cookies and hop-by-hop headers never
 * match, and neither does what nobody thought of.
 */
import { encodingOf } from './encoding.ts';

const REQUEST = new Set(['openai-beta', 'idempotency-key', 'x-mock-fault', 'x-mock-latency']);

const RESPONSE = new Set([
  'content-type',
  'content-encoding',
  'content-disposition',
  'cache-control',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'openai-version',
  'x-mock-fault',
]);

const RESPONSE_PREFIXES = ['x-ratelimit-', 'anthropic-ratelimit-'];

/** A provider's names for its request id; the client knows the request by ours. */
const UPSTREAM_IDS = ['x-request-id', 'request-id'];

/** Headers of a client that go on to a provider, with lower-case names. */
export function requestHeaders(client: Headers): Record<string, string> {
  const travelling: Record<string, string> = {};
  for (const [name, value] of client) if (REQUEST.has(name)) travelling[name] = value;
  const accepted = acceptedEncodings(client.get('accept-encoding'));
  if (accepted !== '') travelling['accept-encoding'] = accepted;
  return travelling;
}

/** Of what the client can decompress, what the log can read too. */
function acceptedEncodings(header: string | null): string {
  return (header ?? '')
    .split(',')
    .filter((item) => {
      const name = item.split(';')[0]!.trim().toLowerCase();
      return name !== '' && encodingOf(name) !== undefined;
    })
    .map((item) => item.trim())
    .join(', ');
}

/** Headers of a provider that go back to the client. The length is left to the server, which knows what it sends. */
export function responseHeaders(upstream: Headers): Headers {
  const travelling = new Headers();
  for (const [name, value] of upstream) {
    if (RESPONSE.has(name) || RESPONSE_PREFIXES.some((prefix) => name.startsWith(prefix)))
      travelling.set(name, value);
  }
  const id = UPSTREAM_IDS.map((name) => upstream.get(name)).find((value) => value !== null);
  if (id) travelling.set('x-llmproxy-upstream-request-id', id);
  return travelling;
}

/** The client's own request id, when it is fit to stand in a log. */
export function requestId(headers: Headers): string | undefined {
  const id = headers.get('x-request-id');
  return id !== null && /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : undefined;
}
