/**
 * Which headers travel. Both directions are allow lists: credentials, cookies and hop-by-hop headers never
 * match, and neither does what nobody thought of.
 */
import type { Endpoint } from './endpoints.ts';
import { encodingOf } from './encoding.ts';

const REQUEST = new Set(['idempotency-key', 'x-mock-fault', 'x-mock-latency']);

/** Those that mean something to the protocol of one endpoint's clients alone. */
const OF_OPENAI = new Set(['openai-beta']);
const OF_ANTHROPIC = new Set(['anthropic-beta']);

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

/** Headers of a client that go on to a provider of whatever protocol, with lower-case names. */
export function requestHeaders(client: Headers, endpoint: Endpoint): Record<string, string> {
  const travelling: Record<string, string> = {};
  const own = endpoint.startsWith('messages') ? OF_ANTHROPIC : OF_OPENAI;
  for (const [name, value] of client) if (REQUEST.has(name) || own.has(name)) travelling[name] = value;
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

/** Most that is passed on of a provider's headers, characters: clients refuse an answer with more than 8 to 16 KiB. */
const MAX_HEADERS = 4_096;

/**
 * Headers of a provider that go back to the client. The length is left to the server, which knows what it sends. What no
 * header can carry, and what there is too much of, stays behind.
 */
export function responseHeaders(upstream: Headers): Headers {
  const travelling = new Headers();
  let room = MAX_HEADERS;
  const pass = (name: string, value: string): void => {
    const size = name.length + value.length;
    if (size > room || !FIT.test(value)) return;
    room -= size;
    travelling.set(name, value);
  };
  for (const [name, value] of upstream) if (RESPONSE.has(name)) pass(name, value);
  const id = UPSTREAM_IDS.map((name) => upstream.get(name)).find((value) => value !== null);
  if (id) pass('x-llmproxy-upstream-request-id', id);
  for (const [name, value] of upstream) {
    if (RESPONSE_PREFIXES.some((prefix) => name.startsWith(prefix))) pass(name, value);
  }
  return travelling;
}

/** One line of printable characters of one byte each. */
const FIT = /^[\t\x20-\x7e\xa0-\xff]*$/;

/** The client's own request id, when it is fit to stand in a log. */
export function requestId(headers: Headers): string | undefined {
  const id = headers.get('x-request-id');
  return id !== null && /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : undefined;
}

/** Headers that travel into another protocol: those that only mean something to the client's own stay behind. */
export function foreignHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  // What is translated must be read: it travels uncompressed.
  const behind = (name: string) =>
    name === 'accept-encoding' || OF_OPENAI.has(name) || OF_ANTHROPIC.has(name);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !behind(name)));
}

/** What of a client's query travels on: Anthropic's clients name the beta API so. */
export function travellingQuery(url: string, endpoint: Endpoint): string | undefined {
  return endpoint.startsWith('messages') && /[?&]beta=true(?:&|$)/.test(url) ? 'beta=true' : undefined;
}
