import type { Config } from '../config/schema.ts';
import type { Steps } from '../turns.ts';
import type { JsonObject } from '../wire/json.ts';
import type { JsonBounds } from '../wire/json-bounds.ts';
import { ProxyError } from '../errors.ts';
import { decodeInSteps } from '../wire/bytes.ts';
import { isObject } from '../wire/json.ts';
import { KINDS, TooComplex, TooLong } from '../wire/json-bounds.ts';
import { parseInSteps } from '../wire/json-steps.ts';

/** The configuration key of a limit. */
const LIMITS: Readonly<Record<keyof JsonBounds, keyof Config['limits'] & string>> = {
  maxDepth: 'max_depth',
  maxValues: 'max_values',
  maxFields: 'max_fields',
  maxObjectFields: 'max_object_fields',
};

/** The limits on the complexity of a request's JSON. */
export function boundsOf(limits: Config['limits']): JsonBounds {
  return {
    maxDepth: limits.max_depth,
    maxValues: limits.max_values,
    maxFields: limits.max_fields,
    maxObjectFields: limits.max_object_fields,
  };
}

/** A body as JSON text and as an object. @throws ProxyError `invalid_request` */
export function* readJson(
  bytes: Uint8Array,
  bounds: JsonBounds,
): Steps<{ readonly text: string; readonly value: JsonObject }> {
  const text = yield* read(decodeInSteps(bytes, true), () => 'is not valid UTF-8');
  return { text, value: yield* readObject(text, bounds) };
}

/** The same for a body that is already text. @throws ProxyError `invalid_request` */
export function* readObject(text: string, bounds: JsonBounds): Steps<JsonObject> {
  const value = yield* read(parseInSteps(text, bounds), (cause) => stateOf(cause, bounds));
  if (isObject(value)) return value;
  throw new ProxyError('invalid_request', 'Cannot read the request: its body must be a JSON object');
}

function* read<T>(steps: Steps<T>, state: (cause: unknown) => string): Steps<T> {
  try {
    return yield* steps;
  } catch (cause) {
    throw new ProxyError('invalid_request', `Cannot read the request: its body ${state(cause)}`, { cause });
  }
}

/** Why a body cannot be parsed, to complete "its body …". */
function stateOf(cause: unknown, bounds: JsonBounds): string {
  if (cause instanceof TooLong) return `has ${cause.message}`;
  return cause instanceof TooComplex
    ? `has more than ${bounds[cause.bound]} ${KINDS[cause.bound]} (limits.${LIMITS[cause.bound]})`
    : `is not valid JSON (${reasonOf(cause)})`;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/^JSON Parse error: /, '') : 'unknown';
}
