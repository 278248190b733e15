import type { JsonObject } from './json.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { wordOf } from './words.ts';

/**
 * Fields of an answer, or of a piece of one, in any protocol: if they are present, the words of an error are content.
 */
const CONTENT: readonly string[] = [
  'candidates',
  'content',
  'data',
  'delta',
  'embedding',
  'embeddings',
  'output',
  'results',
];

/**
 * The error in a body of status 200 or in a stream event, converted to a format that `classifyBody` reads; `undefined`
 * if there is none. Gateways pass on errors in the formats of other protocols than their own.
 * @param value the JSON, or the text if it is not JSON
 * @param name the event's `event:` field
 */
export function errorIn(value: unknown, name?: string): JsonObject | undefined {
  const given: unknown = Array.isArray(value) ? value[0] : value;
  const named = name !== undefined && name.toLowerCase() === 'error';
  if (!isObject(given)) {
    // Invalid JSON was truncated, and contains no readable error.
    const isText = named && typeof given === 'string' && !/^\s*[{[]/.test(given);
    return isText ? { error: { message: given } } : undefined;
  }
  if (isReported(given.error) || given.object === 'error' || given.type === 'error') return wrapped(given);
  if (given.type === 'response.failed') return given;
  const { response } = given;
  if (isObject(response) && isObject(response.error)) return { type: 'response.failed', response };
  for (const choice of listOf(given.choices))
    if (isObject(choice) && isReported(choice.error)) return { error: choice.error };
  return named || looksLikeError(given) ? wrapped(given) : undefined;
}

function isReported(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false && error !== '';
}

/** Whether an object that is nothing else looks like an error. */
function looksLikeError(given: JsonObject): boolean {
  if (hasStatus(given.base_resp)) return true;
  const { message, detail, errors, error_msg: text, type } = given;
  if (typeof message !== 'string' && detail === undefined && errors === undefined && text === undefined)
    return false;
  // An event of an unknown kind means nothing.
  if (typeof type === 'string' && !/error$/i.test(type)) return false;
  return listOf(given.choices).length === 0 && CONTENT.every((key) => !(key in given));
}

/** MiniMax reports a status beside each answer. */
function hasStatus(base: unknown): boolean {
  const { status_code: code } = objectOf(base);
  return typeof code === 'number' && code !== 0;
}

/**
 * The HTTP status that a status of MiniMax's stands for; the others are faults of the server.
 * @see https://platform.minimax.io/docs/api-reference/errorcode
 */
const MINIMAX: ReadonlyMap<unknown, number> = new Map([
  [1002, 429],
  [1004, 401],
  [1008, 402],
  [1026, 400],
  [1027, 400],
  [1039, 429],
  [1041, 429],
  [1042, 400],
  [2013, 400],
  [2045, 429],
  [2049, 401],
  [2056, 429],
]);

/** The error's message where `classifyBody` looks for it. */
function wrapped(given: JsonObject): JsonObject {
  if (isReported(given.error)) return given;
  const [first] = listOf(given.errors);
  if (first !== undefined)
    return { error: isObject(first) ? first : { message: stringOf(first) ?? wordOf(first) } };
  const { status_msg: reported, status_code: status } = objectOf(given.base_resp);
  const {
    message,
    detail,
    error_msg: text,
    code,
    error_code: own,
    error_type: kind,
    statusCode,
    type,
    param,
  } = given;
  const words = stringOf(message) ?? stringOf(text) ?? stringOf(reported) ?? stringOf(detail);
  return {
    error: {
      message: words ?? (detail === undefined ? '' : JSON.stringify(detail)),
      code: code ?? own ?? kind ?? statusCode ?? MINIMAX.get(status) ?? status,
      type: type === 'error' ? undefined : type,
      param,
    },
  };
}
