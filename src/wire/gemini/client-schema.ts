import type { JsonObject } from '../json.ts';
import { isObject, listOf } from '../json.ts';
import { camelCase } from './client-check.ts';

/** The API's types. */
const TYPES: Readonly<Record<string, string>> = {
  STRING: 'string',
  NUMBER: 'number',
  INTEGER: 'integer',
  BOOLEAN: 'boolean',
  ARRAY: 'array',
  OBJECT: 'object',
  NULL: 'null',
};

/** The same by the numbers that protocol buffers have for them, which older clients send. */
const NUMBERED = [undefined, ...Object.values(TYPES)];

/** 64-bit integers, which protocol buffers' JSON represents as text. */
const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
]);

/** Keywords that JSON Schema does not have. */
const OWN: ReadonlySet<string> = new Set(['nullable', 'propertyOrdering', 'example']);

/** Keywords whose values are schemas. */
const LISTS: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'defs', 'definitions']);

/**
 * Converts the API's own schema, a subset of OpenAPI's with types in capitals, to JSON Schema. A JSON Schema is
 * returned unchanged.
 * @see https://ai.google.dev/api/caching#Schema
 */
export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const made: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    const name = key.startsWith('$') ? key : camelCase(key);
    if (OWN.has(name) || value === null) continue;
    if (name === 'type') {
      const type = typeOf(value);
      if (type !== undefined) made.type = type;
    } else if (COUNTS.has(name)) made[name] = countOf(value);
    else if (LISTS.has(name)) made[name] = listOf(value).map(inner);
    else if (NAMED.has(name)) made[name === 'defs' ? '$defs' : name] = each(value);
    else if (name === 'ref') made.$ref = value;
    else made[name] = name === 'items' || name === 'additionalProperties' ? inner(value) : value;
  }
  return schema.nullable === true ? withNull(made) : made;
}

function inner(value: unknown): unknown {
  return isObject(value) ? jsonSchemaOf(value) : value;
}

function each(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, inner(schema)]));
}

/** `undefined` for any type. */
function typeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typeOf);
  if (value === 'TYPE_UNSPECIFIED') return undefined;
  if (typeof value === 'number') return NUMBERED[value];
  return typeof value === 'string' && Object.hasOwn(TYPES, value) ? TYPES[value] : value;
}

function countOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

function withNull(schema: JsonObject): JsonObject {
  const { type, anyOf, enum: words } = schema;
  const nullable = {
    ...schema,
    ...(Array.isArray(words) && !words.includes(null) ? { enum: [...(words as unknown[]), null] } : {}),
  };
  if (typeof type === 'string') return { ...nullable, type: [type, 'null'] };
  if (Array.isArray(type) && !type.includes('null'))
    return { ...nullable, type: [...(type as unknown[]), 'null'] };
  return Array.isArray(anyOf)
    ? { ...nullable, anyOf: [...(anyOf as unknown[]), { type: 'null' }] }
    : nullable;
}
