/**
 * The headers that are passed on. Both directions are allow lists: credentials, cookies and hop-by-hop headers never
 * match, nor does anything unknown.
 */
import type { Endpoint } from './endpoints.ts';
import { encodingOf } from './encoding.ts';

/** Headers by lower-case name; the values of a repeated header are joined. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

/** Headers as a plain object: converting all of them costs less than looking up a few. */
export function headerMap(headers: Headers): HeaderMap {
  return headers.toJSON() as HeaderMap;
}

/** Headers that are meaningful only to the protocol of one endpoint's clients. */
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

/** Providers' names for their request id; clients receive ours. */
const UPSTREAM_IDS = ['x-request-id', 'request-id'];

/** Client headers that are passed on to providers of any protocol, with lower-case names. */
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

/** Additional request headers that are passed through. */
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

/** Additional response headers that are passed through. */
const PASSED = ['accept-ranges', 'content-range', 'etag', 'last-modified'];

/** The headers of a passed-through request for the provider. */
export function passingHeaders(client: HeaderMap): Record<string, string> {
  return Object.fromEntries(
    PASSING.flatMap((name) => (client[name] === undefined ? [] : [[name, client[name]]])),
  );
}

/** The headers of its response for the client. @param mask redacts a value */
export function passedHeaders(upstream: HeaderMap, mask: (text: string) => string): Record<string, string> {
  const back = responseHeaders(upstream, mask);
  for (const name of PASSED) {
    const value = upstream[name];
    if (value !== undefined && FIT.test(value) && value.length <= MAX_HEADERS) back[name] = mask(value);
  }
  return back;
}

/** The encodings that the client accepts and the log can read. */
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

/** The size limit for a provider's headers, characters: clients reject responses with more than 8 to 16 KiB. */
const MAX_HEADERS = 4_096;

/**
 * A provider's headers for the client. The length is set by the server, which knows what it sends. Invalid headers, and
 * those above the size limit, are dropped.
 * @param mask redacts a value
 * @param limited whether the caller has limits of its own: the rate limit headers then describe these, rather than those
 *   of a provider that it shares with others
 */
export function responseHeaders(
  upstream: HeaderMap,
  mask: (text: string) => string,
  limited = false,
): Record<string, string> {
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
  if (!limited) for (const name in upstream) if (RESPONSE_PREFIXES.test(name)) pass(name, upstream[name]);
  return travelling;
}

/** A single line of printable Latin-1 characters. */
const FIT = /^[\t\x20-\x7e\xa0-\xff]*$/;

/** The client's own request id, if it is suitable for a log. */
export function requestId(headers: HeaderMap): string | undefined {
  const id = headers['x-request-id'];
  return id !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(id) ? id : undefined;
}

/** Headers for a provider of another protocol: those specific to the client's protocol are dropped. */
export function foreignHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  // A translated answer must be read, so it should be uncompressed.
  const behind = (name: string) =>
    name === 'accept-encoding' || OF_OPENAI.has(name) || OF_ANTHROPIC.has(name);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !behind(name)));
}

/** The part of a client's query that is passed on: Anthropic's clients select the beta API with it. */
export function travellingQuery(url: string, endpoint: Endpoint): string | undefined {
  return endpoint.startsWith('messages') && /[?&]beta=true(?:&|$)/.test(url) ? 'beta=true' : undefined;
}
