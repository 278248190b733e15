import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Keywords that Gemini's own schema has. */
const KNOWN = new Set([
  'type',
  'format',
  'title',
  'description',
  'nullable',
  'enum',
  'maxItems',
  'minItems',
  'properties',
  'required',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'anyOf',
  'propertyOrdering',
  'default',
  'items',
  'minimum',
  'maximum',
]);

/** References followed at most: a schema that contains itself has no end. */
const MAX_DEPTH = 16;

/**
 * A JSON Schema as the subset of OpenAPI's that older models take: references are resolved, `const` is an `enum`,
 * several types are `anyOf`, and what they do not know is left out.
 */
export function openapiSchema(schema: unknown): JsonObject {
  const root = objectOf(schema);
  return convert(root, root, 0);
}

function convert(given: JsonObject, root: JsonObject, depth: number): JsonObject {
  const schema = resolved(given, root, depth);
  if (depth > MAX_DEPTH) return { type: 'object' };
  const inner = (value: unknown) => convert(objectOf(value), root, depth + 1);
  const made: JsonObject = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties') {
      made.properties = Object.fromEntries(
        Object.entries(objectOf(value)).map(([key, property]) => [key, inner(property)]),
      );
    } else if (name === 'items') made.items = inner(value);
    else if (name === 'anyOf' || name === 'oneOf') made.anyOf = listOf(value).map(inner);
    else if (name === 'const') made.enum = [String(value)];
    else if (name === 'enum') made.enum = listOf(value).map(String);
    else if (KNOWN.has(name)) made[name] = value;
  }
  return withOneType(made);
}

function resolved(schema: JsonObject, root: JsonObject, depth: number): JsonObject {
  const reference = stringOf(schema.$ref);
  if (!reference?.startsWith('#/') || depth > MAX_DEPTH) return schema;
  const { $ref: _, ...rest } = schema;
  let found: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    found = objectOf(found)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return isObject(found) ? { ...found, ...rest } : rest;
}

function withOneType(schema: JsonObject): JsonObject {
  const { type, enum: words } = schema;
  if (type === undefined && words) return { ...schema, type: 'string' };
  if (!Array.isArray(type)) return schema;
  const types = type.filter((each) => each !== 'null');
  const nullable = types.length < type.length ? { nullable: true } : {};
  if (types.length === 1) return { ...schema, type: types[0], ...nullable };
  const { type: _, ...rest } = schema;
  return { ...rest, anyOf: types.map((each) => ({ type: each })), ...nullable };
}
