/** What a provider's error means: by its code where it has one, by its words, then by the status. */
import type { Fault, UpstreamError } from '../errors.ts';
import { FAULTS } from '../errors.ts';
import { isObject, objectOf, parseJson, stringOf, tidyText } from './json.ts';

export interface Classified {
  readonly fault: Fault;
  readonly upstream: UpstreamError;
}

type Words = Pick<UpstreamError, 'message' | 'code' | 'type' | 'param'>;

const MAX_MESSAGE = 2_000;
/** Longest code, type or parameter. */
const MAX_WORD = 200;

/** How far into a page its title is looked for: the search takes the square of it. */
const MAX_HEAD = 8_000;

/** Codes and types that say it outright, whatever the status. */
const BY_CODE: Readonly<Record<string, Fault>> = {
  context_length_exceeded: 'context_length',
  exceed_context_size_error: 'context_length',
  too_many_tokens: 'context_length',
  too_many_prompt_tokens: 'context_length',
  content_filter: 'content_policy',
  content_policy_violation: 'content_policy',
  moderation_blocked: 'content_policy',
  responsibleaipolicyviolation: 'content_policy',
  insufficient_quota: 'billing',
  billing_error: 'billing',
  credit_balance_exhausted: 'billing',
  organization_spend_limit_exceeded: 'billing',
  project_spend_limit_exceeded: 'billing',
  organization_usage_limit_exceeded: 'billing',
  throttlingexception: 'rate_limited',
  modelnotreadyexception: 'overloaded',
  serviceunavailableexception: 'overloaded',
  servicequotaexceededexception: 'rate_limited',
  modeltimeoutexception: 'server',
  modelerrorexception: 'server',
  internalserverexception: 'server',
  accessdeniedexception: 'forbidden',
  unrecognizedclientexception: 'auth',
  expiredtokenexception: 'auth',
  invalidsignatureexception: 'auth',
  resourcenotfoundexception: 'not_found',
  loop_detected: 'loop',
  malformed_response: 'malformed',
  invalid_api_key: 'auth',
  authentication_error: 'auth',
  permission_error: 'forbidden',
  permission_denied: 'forbidden',
  account_deactivated: 'auth',
  unsupported_country_region_territory: 'auth',
  api_key_invalid: 'auth',
  model_not_found: 'not_found',
  deploymentnotfound: 'not_found',
  model_not_available: 'not_found',
  not_found_error: 'no_endpoint',
  rate_limit_exceeded: 'rate_limited',
  rate_limit_error: 'rate_limited',
  ratelimitreached: 'rate_limited',
  resource_exhausted: 'rate_limited',
  overloaded_error: 'overloaded',
  server_is_overloaded: 'overloaded',
  slow_down: 'overloaded',
  capacity_exceeded: 'overloaded',
  unavailable_error: 'overloaded',
  api_error: 'server',
  server_error: 'server',
  timeout_error: 'server',
};

/** How context overflow is worded; recorded at the vendors. */
const CONTEXT_LENGTH =
  /prompt is too long|exceeds the context window|maximum context length|exceeds the maximum number of tokens|input tokens exceeded|input is too long|exceeds the available context size|context length is only|prompt too long; exceeded|too many tokens|request too large for model/i;

/** How a refusal for the content is worded where no code says so. */
const CONTENT_POLICY =
  /content filtering policy|content management policy|rejected (?:as a result of|by) our safety system|violat\w+ (?:our |the )?(?:usage|content) polic/i;

/** That the provider lacks the model, in its words; some say so with status 400. Bounded, for they come from outside. */
const NO_MODEL = new RegExp(
  [
    /\b(?:models?|deployment|publisher model)\b[^\n]{0,160}?(?:\bnot found\b|\bdoes(?: not|n't) exist|\bnot exist\b|\bis not available\b|\bnot deployed\b)/,
    /\b(?:invalid|unknown|unsupported|no such) model\b/,
    /\bnot a valid model\b|\bmodel identifier is invalid\b|\bno endpoints found for\b|\bunable to access model\b/,
    /^model: \S+$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Words that name our key, or the account as a whole. */
const AUTH = new RegExp(
  [
    /\b(?:incorrect|invalid|expired|revoked|disabled|deactivated|unknown|wrong|missing) (?:x-)?(?:api[ -]?key|auth\w* token|bearer token|access token)/,
    /\bapi[ _-]?key (?:is |was |has been |has )?(?:not valid|invalid|incorrect|expired|revoked|disabled|deactivated|blocked|suspended)/,
    /\bno auth credentials\b|\binvalid authentication\b|\bsecurity token\b[^\n]{0,60}\b(?:invalid|expired)/,
    /\b(?:account|organi[sz]ation|workspace)\b[^\n]{0,60}?\b(?:suspended|deactivated|disabled|banned|terminated|blocked|locked)\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Words that name the balance of the account as a whole. */
const BILLING =
  /\bcredit balance is too low\b|\binsufficient[ _](?:account )?(?:balance|quota|credits?|funds)\b|\badd (?:more )?credits\b|\bout of credits\b|\bkey limit exceeded\b|\bbilling (?:hard )?limit\b|\bbalance\b[^\n]{0,40}\b(?:negative|exhausted|too low)/i;

/** A price that is this request's own: a smaller one may still be paid. */
const TOO_EXPENSIVE =
  /\bfewer max_tokens\b|\bcan only afford\b|\b(?:this|your) request (?:requires|needs|would cost|exceeds)\b/i;

/** Statuses that are not what their hundred says. */
const BY_STATUS: Readonly<Record<number, Fault>> = {
  401: 'auth',
  402: 'unaffordable',
  403: 'forbidden',
  404: 'no_endpoint',
  405: 'no_endpoint',
  406: 'declined',
  408: 'server',
  409: 'declined',
  410: 'no_endpoint',
  413: 'declined',
  415: 'declined',
  421: 'declined',
  423: 'declined',
  424: 'declined',
  425: 'overloaded',
  426: 'declined',
  429: 'rate_limited',
  431: 'declined',
  451: 'declined',
  498: 'overloaded',
  499: 'server',
  503: 'overloaded',
  508: 'loop',
  529: 'overloaded',
};

/**
 * An error answer. The body may be JSON of any vendor's shape, HTML or nothing.
 * @param verbatim whether a JSON body is in the client's own protocol
 */
export function classifyStatus(status: number, headers: Headers, body: string, verbatim = false): Classified {
  const parsed = wordsOf(parseJson(body));
  const told = parsed ?? { message: plainMessage(body) };
  // AWS names the class of an error in a header: "ThrottlingException:http://...".
  const words = { ...told, code: told.code ?? headers.get('x-amzn-errortype')?.split(':')[0] };
  const upstream = { status, headers, body, verbatim: verbatim && parsed !== undefined, ...words };
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
  const fault = faultOf(told ? code : (MEANT.get(words.type ?? '') ?? 500), words);
  const status = told ? code : fault === 'server' ? 500 : FAULTS[fault].status;
  return {
    fault,
    upstream: {
      status,
      headers: new Headers(),
      body: JSON.stringify(body),
      verbatim: false,
      ...words,
    },
  };
}

/** What a provider said, as far as a caller may be told: what it says about a key that it refuses may quote the key. */
export function tellable({ fault, upstream }: Classified): string {
  return fault === 'auth' ? 'it refused our key' : upstream.message;
}

/** Types that stand for a status and say no more. */
const MEANT: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['request_too_large', 413],
]);

function faultOf(status: number, words: Words): Fault {
  const { message, code, type } = words;
  // A redirect is not followed: it would carry the key elsewhere. An API has none.
  if (status < 400) return 'server';
  const byCode = named(code);
  if (status >= 500) return byCode ?? named(type) ?? BY_STATUS[status] ?? 'server';
  const told = byWords(status, message);
  // What words say of the request alone is less than what a code says of all.
  if (told === 'unaffordable') return told;
  if (byCode && byCode !== 'forbidden' && byCode !== 'no_endpoint') return byCode;
  if (told) return told;
  const byType = named(type);
  if (byType === 'auth' || byType === 'billing') return byType;
  if (status === 401) return 'auth';
  return byCode ?? BY_STATUS[status] ?? byType ?? 'invalid_request';
}

/** What the words of a 4xx say, whatever its status. */
function byWords(status: number, message: string): Fault | undefined {
  if (CONTEXT_LENGTH.test(message)) return 'context_length';
  if (CONTENT_POLICY.test(message)) return 'content_policy';
  // A rate limit of Google's is worded like a bill.
  if (status !== 429 && TOO_EXPENSIVE.test(message)) return 'unaffordable';
  if (status !== 429 && AUTH.test(message)) return 'auth';
  if (BILLING.test(message)) return 'billing';
  if (status === 429 || !NO_MODEL.test(message)) return undefined;
  // A 400 may be about anything that the request names.
  return status === 404 || status === 410 ? 'not_found' : 'no_endpoint';
}

/** The fault that a code or a type says outright. Providers may say what every object has, such as "constructor". */
function named(word = ''): Fault | undefined {
  const code = word.toLowerCase();
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

/** The provider's words, wherever its shape puts them. */
function wordsOf(parsed: unknown): Words | undefined {
  const body = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(body)) return undefined;
  const inner = isObject(body.error) ? body.error : body;
  const nested = objectOf(inner.innererror).code;
  const message =
    stringOf(inner.message) ?? stringOf(body.error) ?? stringOf(body.message) ?? detailOf(body.detail) ?? '';
  return {
    message: tidyText(message, MAX_MESSAGE),
    code: codeOf(nested ?? inner.code ?? body.code ?? inner.status ?? body.error_type),
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

/** Mistral's and FastAPI's `detail`: a text, or a list of what is wrong. */
function detailOf(detail: unknown): string | undefined {
  if (detail === undefined) return undefined;
  if (typeof detail === 'string') return detail;
  return JSON.stringify(detail);
}

function plainMessage(body: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(body.slice(0, MAX_HEAD))?.[1]?.trim();
  if (title !== undefined) return `HTML page (${tidyText(title, 200)})`;
  return tidyText(body.trim(), MAX_MESSAGE);
}
