/** What a provider's error means: by its code where it has one, by its words, then by the status. */
import type { Fault, UpstreamError } from '../errors.ts';
import type { JsonObject } from './json.ts';
import { FAULTS } from '../errors.ts';
import { faultNamed, faultOfStatus } from './fault-codes.ts';
import { faultOfWords, isPart, saysTooLong } from './fault-words.ts';
import { isObject, listOf, objectOf, parseJson, stringOf, tidyText } from './json.ts';

export interface Classified {
  readonly fault: Fault;
  readonly upstream: UpstreamError;
}

type Words = Pick<UpstreamError, 'message' | 'code' | 'type' | 'param'>;

const MAX_MESSAGE = 2_000;
/** Longest code, type or parameter. */
const MAX_WORD = 200;

/** How many of the things that are wrong are told. */
const MAX_DETAILS = 20;

/** How far into a page its title is looked for: the search takes the square of it. */
const MAX_HEAD = 8_000;

/**
 * An error answer. The body may be JSON of any vendor's shape, HTML or nothing.
 * @param verbatim whether a JSON body is in the client's own protocol
 */
export function classifyStatus(status: number, headers: Headers, body: string, verbatim = false): Classified {
  const json = parseJson(body);
  const parsed = wordsOf(json);
  const told = parsed ?? { message: plainMessage(stringOf(json) ?? body) };
  // AWS names the class of an error in a header: "ThrottlingException:http://...".
  const words = { ...told, code: told.code ?? headers.get('x-amzn-errortype')?.split(':')[0] };
  // Google's lists of errors are in no client's protocol, although their words can be read.
  const upstream = { status, headers, body, verbatim: verbatim && isObject(json), ...words };
  return { fault: faultOf(status, words), upstream };
}

/** An error inside a 200: a body or a stream event. `undefined` when it holds none. */
export function classifyBody(given: unknown): Classified | undefined {
  if (!isObject(given)) return undefined;
  // The Responses API tells of its failure in the response.
  const body = given.type === 'response.failed' ? objectOf(given.response) : given;
  const isError =
    body.object === 'error' || body.type === 'error' || (body.error !== undefined && body.error !== null);
  const words = isError ? wordsOf(body) : undefined;
  if (!words) return undefined;
  // OpenRouter and vLLM put the status they mean into `code`; of others it is told by their type and words.
  const code = Number(words.code);
  const told = Number.isInteger(code) && code >= 400 && code < 600;
  const fault = faultOf(told ? code : meantBy(words), words);
  const status = told ? code : FAULTS[fault].status;
  return {
    fault,
    upstream: {
      status,
      headers: new Headers(),
      // Only what is passed on verbatim needs it, and it may be megabytes.
      body: '',
      verbatim: false,
      ...words,
    },
  };
}

/** What a provider said, as far as a caller may be told: what it says about a key that it refuses may quote the key. */
export function tellable({ fault, upstream }: Classified): string {
  return fault === 'auth' ? 'it refused our key' : upstream.message;
}

/** The status that is meant by an error within a 200. Ollama's are words alone, by which a prompt is too long at least. */
function meantBy({ type, code, message }: Words): number {
  if (type === undefined && code === undefined && saysTooLong(message)) return 400;
  return MEANT.get(type ?? '') ?? 500;
}

/** Types that stand for a status and say no more. */
const MEANT: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['request_too_large', 413],
]);

function faultOf(status: number, words: Words): Fault {
  const { code, type } = words;
  const byStatus = faultOfStatus(status);
  const byCode = faultNamed(code);
  const byType = faultNamed(type);
  // What is not implemented is no trouble of the model.
  if (status === 501) return byCode ?? byStatus;
  if (status < 400 || status >= 500) return status < 400 ? byStatus : (byCode ?? byType ?? byStatus);
  const told = faultOfWords(status, words);
  // What is missing or refused within the request is less than what its code is made for.
  if (isPart(words.param) && [byCode, byType].some(holdsBack)) {
    return told && FAULTS[told].blames === 'request' ? told : 'declined';
  }
  // What words say of the request alone is less than what a code says of all.
  if (told && FAULTS[told].blames === 'request' && byCode === 'rate_limited') return told;
  if (told === 'unaffordable') return told;
  if (byCode && byCode !== 'forbidden' && byCode !== 'no_endpoint') return byCode;
  if (byType === 'not_found') return byType;
  if (told) return told;
  if (byType === 'auth' || byType === 'billing') return byType;
  if (status === 401) return 'auth';
  if (byCode) return byCode;
  return byStatus === 'invalid_request' ? (byType ?? byStatus) : byStatus;
}

/** Whether a fault holds back a key or an endpoint. */
function holdsBack(fault: Fault | undefined): boolean {
  return fault !== undefined && ['down', 'suspect'].includes(FAULTS[fault].health);
}

/** The provider's words, wherever its shape puts them. */
function wordsOf(parsed: unknown): Words | undefined {
  const body = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(body)) return undefined;
  const inner = isObject(body.error) ? body.error : body;
  // Cloudflare and JSON:API have a list of them.
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

/** Google's `ErrorInfo` says what the status of its error does not, such as that the key is at fault. */
function reasonOf(details: unknown): string | undefined {
  const reasons = listOf(details).map((detail) => stringOf(objectOf(detail).reason));
  return reasons.find((reason) => faultNamed(reason));
}

/** The class of an error in AWS's body: "com.amazon.coral.service#AccessDeniedException". */
function className(body: JsonObject): string | undefined {
  return stringOf(body['__type'])?.split('#').at(-1);
}

/** Mistral's and FastAPI's `detail`: a text, or a list of what is wrong. */
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
