import type { JsonObject } from './json.ts';
import { isObject, listOf, objectOf, stringOf } from './json.ts';
import { wordOf } from './words.ts';

/** What an answer, or a piece of one, holds in any protocol: beside it words of an error are somebody's content. */
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
 * The error that a body of status 200 or an event of a stream tells of, in a shape that `classifyBody` reads, whatever
 * shape it came in; `undefined` when it tells of none. Gateways pass on errors of other protocols than their own.
 * @param value the JSON, or the text where it is none
 * @param name the event's `event:` field
 */
export function errorIn(value: unknown, name?: string): JsonObject | undefined {
  const given: unknown = Array.isArray(value) ? value[0] : value;
  const named = name !== undefined && name.toLowerCase() === 'error';
  if (!isObject(given)) {
    // JSON that cannot be read was cut, and says nothing that can be told.
    const isText = named && typeof given === 'string' && !/^\s*[{[]/.test(given);
    return isText ? { error: { message: given } } : undefined;
  }
  if (isTold(given.error) || given.object === 'error' || given.type === 'error') return wrapped(given);
  if (given.type === 'response.failed') return given;
  const { response } = given;
  if (isObject(response) && isObject(response.error)) return { type: 'response.failed', response };
  for (const choice of listOf(given.choices))
    if (isObject(choice) && isTold(choice.error)) return { error: choice.error };
  return named || speaksOfError(given) ? wrapped(given) : undefined;
}

function isTold(error: unknown): boolean {
  return error !== undefined && error !== null && error !== false && error !== '';
}

/** Whether an object that is nothing else has the words of an error. */
function speaksOfError(given: JsonObject): boolean {
  if (hasStatus(given.base_resp)) return true;
  const { message, detail, errors, error_msg: text, type } = given;
  if (typeof message !== 'string' && detail === undefined && errors === undefined && text === undefined)
    return false;
  // An event of a kind that nobody knows means nothing.
  if (typeof type === 'string' && !/error$/i.test(type)) return false;
  return listOf(given.choices).length === 0 && CONTENT.every((key) => !(key in given));
}

/** MiniMax says how it went beside each answer. */
function hasStatus(base: unknown): boolean {
  const { status_code: code } = objectOf(base);
  return typeof code === 'number' && code !== 0;
}

/** The words of an error where `classifyBody` looks for them. */
function wrapped(given: JsonObject): JsonObject {
  if (isTold(given.error)) return given;
  const [first] = listOf(given.errors);
  if (first !== undefined)
    return { error: isObject(first) ? first : { message: stringOf(first) ?? wordOf(first) } };
  const { status_msg: told, status_code: status } = objectOf(given.base_resp);
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
  const words = stringOf(message) ?? stringOf(text) ?? stringOf(told) ?? stringOf(detail);
  return {
    error: {
      message: words ?? (detail === undefined ? '' : JSON.stringify(detail)),
      code: code ?? own ?? kind ?? statusCode ?? status,
      type: type === 'error' ? undefined : type,
      param,
    },
  };
}
