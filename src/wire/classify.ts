/** Classifies a provider's error: by its code if it has one, by its message, then by the status. */
import type { UpstreamError } from '../errors.ts';
import type { Fault } from '../faults.ts';
import type { JsonObject } from './json.ts';
import { FAULTS } from '../faults.ts';
import { faultNamed, faultOfStatus } from './fault-codes.ts';
import { faultOfWords, isPart, saysTooLong } from './fault-words.ts';
import { isObject, listOf, objectOf, parseJson, stringOf, tidyText } from './json.ts';

export interface Classified {
  readonly fault: Fault;
  readonly upstream: UpstreamError;
}

type Words = Pick<UpstreamError, 'message' | 'code' | 'type' | 'param'>;

const MAX_MESSAGE = 2_000;
/** The longest code, type or parameter. */
const MAX_WORD = 200;

/** How many validation errors are listed. */
const MAX_DETAILS = 20;

/** How much of an HTML page is searched for its title: the search is quadratic. */
const MAX_HEAD = 8_000;

/**
 * Classifies an error response. The body may be JSON of any vendor, HTML or empty.
 * @param verbatim whether a JSON body is in the client's own protocol
 */
export function classifyStatus(status: number, headers: Headers, body: string, verbatim = false): Classified {
  const json = parseJson(body);
  const parsed = wordsOf(json);
  const known = parsed ?? { message: plainMessage(stringOf(json) ?? body) };
  // AWS names the class of an error in a header: "ThrottlingException:http://...".
  const words = { ...known, code: known.code ?? headers.get('x-amzn-errortype')?.split(':')[0] };
  // Google's lists of errors belong to no client protocol, although their messages can be read.
  const upstream = { status, headers, body, verbatim: verbatim && isObject(json), ...words };
  return { fault: faultOf(status, words), upstream };
}

/** An error within a response of status 200: in a body or a stream event. `undefined` if there is none. */
export function classifyBody(given: unknown): Classified | undefined {
  if (!isObject(given)) return undefined;
  // The Responses API reports a failure inside the response object.
  const body = given.type === 'response.failed' ? objectOf(given.response) : given;
  const isError =
    body.object === 'error' || body.type === 'error' || (body.error !== undefined && body.error !== null);
  const words = isError ? wordsOf(body) : undefined;
  if (!words) return undefined;
  // OpenRouter and vLLM put the actual status into `code`; for others, type and message are used.
  const code = Number(words.code);
  const known = Number.isInteger(code) && code >= 400 && code < 600;
  const fault = faultOf(known ? code : meantBy(words), words);
  const status = known ? code : FAULTS[fault].status;
  return {
    fault,
    upstream: {
      status,
      headers: new Headers(),
      // Only needed to pass the body on verbatim, and it may be megabytes.
      body: '',
      verbatim: false,
      ...words,
    },
  };
}

/** The provider's message in a form that callers may see: a message about a rejected key may quote the key. */
export function safeMessage({ fault, upstream }: Classified): string {
  return fault === 'auth' ? 'it refused our key' : upstream.message;
}

/**
 * The status that corresponds to an error within a 200. Ollama's errors are plain text; at least an overlong prompt is
 * recognised.
 */
function meantBy({ type, code, message }: Words): number {
  if (type === undefined && code === undefined && saysTooLong(message)) return 400;
  return MEANT.get(type ?? '') ?? 500;
}

/** Types that merely repeat a status. */
const MEANT: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['request_too_large', 413],
]);

function faultOf(status: number, words: Words): Fault {
  const { code, type } = words;
  const byStatus = faultOfStatus(status);
  const byCode = faultNamed(code);
  const byType = faultNamed(type);
  // A missing feature is not a failure of the model.
  if (status === 501) return byCode ?? byStatus;
  if (status < 400 || status >= 500) return status < 400 ? byStatus : (byCode ?? byType ?? byStatus);
  const known = faultOfWords(status, words);
  // If something in the request is missing or rejected, that is narrower than the general meaning of the code.
  if (isPart(words.param) && [byCode, byType].some(holdsBack)) {
    return known && FAULTS[known].blames === 'request' ? known : 'declined';
  }
  // A message about the request alone is narrower than a code about everything.
  if (known && FAULTS[known].blames === 'request' && byCode === 'rate_limited') return known;
  if (known === 'unaffordable') return known;
  if (byCode && byCode !== 'forbidden' && byCode !== 'no_endpoint') return byCode;
  if (byType === 'not_found') return byType;
  if (known) return known;
  if (byType === 'auth' || byType === 'billing' || byType === 'overloaded') return byType;
  if (status === 401) return 'auth';
  if (byCode) return byCode;
  return byStatus === 'invalid_request' ? (byType ?? byStatus) : byStatus;
}

/** Whether a fault puts a key or an endpoint on hold. */
function holdsBack(fault: Fault | undefined): boolean {
  return fault !== undefined && ['down', 'suspect'].includes(FAULTS[fault].health);
}

/** The provider's message, from wherever its format puts it. */
function wordsOf(parsed: unknown): Words | undefined {
  const body = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(body)) return undefined;
  const inner = isObject(body.error) ? body.error : body;
  // Cloudflare and JSON:API have a list of errors.
  const listed = listOf(body.errors)[0];
  const first = objectOf(listed);
  const nested = reasonOf(inner.details) ?? objectOf(inner.innererror).code;
  const message =
    stringOf(inner.message) ??
    stringOf(body.error) ??
    stringOf(body.message) ??
    detailOf(body.detail ?? first.message ?? first.detail ?? stringOf(listed)) ??
    '';
  return {
    message: tidyText(message, MAX_MESSAGE),
    code: codeOf(
      nested ?? inner.code ?? body.code ?? inner.status ?? body.error_type ?? first.code ?? className(body),
    ),
    type: inner.type === 'error' ? undefined : shortOf(inner.type),
    param: shortOf(inner.param),
  };
}

function codeOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : shortOf(value);
}

function shortOf(value: unknown): string | undefined {
  return typeof value === 'string' ? tidyText(value, MAX_WORD) : undefined;
}

/** Google's `ErrorInfo` is more specific than the status of its error, for example about an invalid key. */
function reasonOf(details: unknown): string | undefined {
  const reasons = listOf(details).map((detail) => stringOf(objectOf(detail).reason));
  return reasons.find((reason) => faultNamed(reason));
}

/** The class of an error in AWS's body: "com.amazon.coral.service#AccessDeniedException". */
function className(body: JsonObject): string | undefined {
  return stringOf(body['__type'])?.split('#').at(-1);
}

/** Mistral's and FastAPI's `detail`: a text, or a list of validation errors. */
function detailOf(detail: unknown): string | undefined {
  if (detail === undefined) return undefined;
  if (typeof detail === 'string') return detail;
  return JSON.stringify(Array.isArray(detail) ? detail.slice(0, MAX_DETAILS) : detail);
}

function plainMessage(body: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(body.slice(0, MAX_HEAD))?.[1]?.trim();
  if (title !== undefined) return `HTML page (${tidyText(title, 200)})`;
  return tidyText(body.trim(), MAX_MESSAGE);
}
