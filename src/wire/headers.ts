/**
 * Which headers travel. Both directions are allow lists: credentials, cookies and hop-by-hop headers never
 * match, and neither does what nobody thought of.
 */
import type { Endpoint } from './endpoints.ts';
import { encodingOf } from './encoding.ts';

/** Headers by their lower-case names; one that came several times has its values joined. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

/** Headers as a plain object: read in one go they cost less than looked up one by one. */
export function headerMap(headers: Headers): HeaderMap {
  return headers.toJSON() as HeaderMap;
}

/** Those that mean something to the protocol of one endpoint's clients alone. */
const OF_OPENAI = new Set(['openai-beta']);
const OF_ANTHROPIC = new Set(['anthropic-beta']);

const REQUEST = ['idempotency-key', 'x-mock-fault', 'x-mock-latency'];
const FROM_OPENAI = [...REQUEST, ...OF_OPENAI];
const FROM_ANTHROPIC = [...REQUEST, ...OF_ANTHROPIC];

const RESPONSE = [
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
];

const RESPONSE_PREFIXES = /^(?:x|anthropic)-ratelimit-/;

/** A provider's names for its request id; the client knows the request by ours. */
const UPSTREAM_IDS = ['x-request-id', 'request-id'];

/** Headers of a client that go on to a provider of whatever protocol, with lower-case names. */
export function requestHeaders(client: HeaderMap, endpoint: Endpoint): Record<string, string> {
  const travelling: Record<string, string> = {};
  for (const name of endpoint.startsWith('messages') ? FROM_ANTHROPIC : FROM_OPENAI) {
    const value = client[name];
    if (value !== undefined) travelling[name] = value;
  }
  const encodings = client['accept-encoding'];
  const accepted = encodings === undefined ? '' : acceptedEncodings(encodings);
  if (accepted !== '') travelling['accept-encoding'] = accepted;
  return travelling;
}

/** What travels on with a request that only passes. */
const PASSING = [
  'accept',
  'content-type',
  'content-encoding',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'idempotency-key',
  'openai-beta',
  'anthropic-beta',
  'anthropic-version',
];

/** And what comes back with its answer beside the usual. */
const PASSED = ['accept-ranges', 'content-range', 'etag', 'last-modified'];

/** Headers of a client that go on with a request that only passes. */
export function passingHeaders(client: HeaderMap): Record<string, string> {
  return Object.fromEntries(
    PASSING.flatMap((name) => (client[name] === undefined ? [] : [[name, client[name]]])),
  );
}

/** Headers of the answer to it that go back. @param mask takes secrets out of a value */
export function passedHeaders(upstream: HeaderMap, mask: (text: string) => string): Record<string, string> {
  const back = responseHeaders(upstream, mask);
  for (const name of PASSED) {
    const value = upstream[name];
    if (value !== undefined && FIT.test(value) && value.length <= MAX_HEADERS) back[name] = mask(value);
  }
  return back;
}

/** Of what the client can decompress, what the log can read too. */
function acceptedEncodings(header: string): string {
  return header
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
 * @param mask takes secrets out of a value
 */
export function responseHeaders(upstream: HeaderMap, mask: (text: string) => string): Record<string, string> {
  const travelling: Record<string, string> = {};
  let room = MAX_HEADERS;
  const pass = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    const size = name.length + value.length;
    if (size > room || !FIT.test(value)) return;
    room -= size;
    travelling[name] = mask(value);
  };
  for (const name of RESPONSE) pass(name, upstream[name]);
  const id = UPSTREAM_IDS.find((name) => upstream[name]);
  if (id !== undefined) pass('x-llmproxy-upstream-request-id', upstream[id]);
  for (const name in upstream) if (RESPONSE_PREFIXES.test(name)) pass(name, upstream[name]);
  return travelling;
}

/** One line of printable characters of one byte each. */
const FIT = /^[\t\x20-\x7e\xa0-\xff]*$/;

/** The client's own request id, when it is fit to stand in a log. */
export function requestId(headers: HeaderMap): string | undefined {
  const id = headers['x-request-id'];
  return id !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : undefined;
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
