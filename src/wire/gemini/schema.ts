import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';

/** Keywords that Gemini's own schema has. */
const KNOWN = new Set([
  'type',
  'title',
  'description',
  'nullable',
  'maxItems',
  'minItems',
  'required',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'propertyOrdering',
  'default',
  'minimum',
  'maximum',
]);

/** Others are refused. */
const FORMATS = new Set<unknown>(['date-time', 'enum', 'int32', 'int64', 'float', 'double']);

/** A schema deeper than this is cut off. */
const MAX_DEPTH = 32;

/** References make a small schema as large as one likes: beyond this many parts, objects are left open. */
const MAX_PARTS = 5_000;

/**
 * A JSON Schema as the subset of OpenAPI's that older models take: references are resolved, `const` is an `enum`,
 * several types are `anyOf`, and what they do not know is left out. Where a schema contains itself, any object is
 * taken.
 * @see https://ai.google.dev/api/caching#Schema
 */
export function openapiSchema(schema: unknown): JsonObject {
  return new Conversion(objectOf(schema)).convert(objectOf(schema), []);
}

class Conversion {
  readonly #root: JsonObject;
  #parts = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** @param path the references that led here */
  convert(given: JsonObject, path: readonly string[], depth = 0): JsonObject {
    if (this.#parts > MAX_PARTS) return { type: 'object' };
    const found = this.#resolved(given, path);
    // Counted before they are looked at, so that many references to a large part cost no more than one.
    this.#parts += 1 + Object.keys(objectOf(found?.schema.properties)).length;
    if (!found || depth > MAX_DEPTH || this.#parts > MAX_PARTS) return { type: 'object' };
    const inner = (value: unknown) => this.convert(objectOf(value), found.path, depth + 1);
    const { properties, items, anyOf, oneOf, format, ...rest } = found.schema;
    const made: JsonObject = Object.fromEntries(Object.entries(rest).filter(([name]) => KNOWN.has(name)));
    if (FORMATS.has(format)) made.format = format;
    if (isObject(properties)) {
      made.properties = Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, inner(property)]),
      );
    }
    if (isObject(items)) made.items = inner(items);
    const choices = listOf(anyOf ?? oneOf);
    if (choices.length > 0) made.anyOf = choices.map(inner);
    return withOneType(withWords(made, found.schema));
  }

  /** A schema with what it refers to and is composed of; `undefined` where it contains itself. */
  #resolved(
    given: JsonObject,
    path: readonly string[],
  ): { schema: JsonObject; path: readonly string[] } | undefined {
    let schema = given;
    let steps = path;
    for (let reference = stringOf(schema.$ref); reference; reference = stringOf(schema.$ref)) {
      if (steps.includes(reference) || steps.length > MAX_DEPTH) return undefined;
      steps = [...steps, reference];
      const { $ref: _, ...rest } = schema;
      schema = { ...this.#at(reference), ...rest };
    }
    const { allOf, ...own } = schema;
    if (!Array.isArray(allOf)) return { schema, path: steps };
    for (const each of allOf) {
      this.#parts += 1;
      const part = this.#parts > MAX_PARTS ? undefined : this.#resolved(objectOf(each), steps);
      if (!part) return undefined;
      steps = part.path;
      merge(own, part.schema);
    }
    return { schema: own, path: steps };
  }

  #at(reference: string): JsonObject {
    if (reference === '#') return this.#root;
    if (!reference.startsWith('#/')) return {};
    let found: unknown = this.#root;
    for (const step of reference.slice(2).split('/')) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
      if (!isObject(found) || !Object.hasOwn(found, key)) return {};
      found = found[key];
    }
    return objectOf(found);
  }
}

/** A part of `allOf` into the schema that has it. */
function merge(into: JsonObject, part: JsonObject): void {
  const properties = { ...objectOf(part.properties), ...objectOf(into.properties) };
  const required = [...new Set([...listOf(into.required), ...listOf(part.required)])];
  Object.assign(into, { ...part, ...into });
  if (Object.keys(properties).length > 0) into.properties = properties;
  if (required.length > 0) into.required = required;
}

/** Words to choose from. They are texts: of other values the type alone is told. */
function withWords(made: JsonObject, { enum: given, const: only }: JsonObject): JsonObject {
  const values = only === undefined ? listOf(given) : [only];
  const words = values.filter((value) => typeof value === 'string');
  if (words.length === 0) return made;
  return { type: 'string', ...made, enum: words, ...(values.includes(null) ? { nullable: true } : {}) };
}

function withOneType(schema: JsonObject): JsonObject {
  const { type } = schema;
  if (!Array.isArray(type)) return schema;
  const types = type.filter((each) => each !== 'null');
  const nullable = types.length < type.length ? { nullable: true } : {};
  if (types.length === 1) return { ...schema, type: types[0], ...nullable };
  const { type: _, ...rest } = schema;
  return { ...rest, anyOf: types.map((each) => ({ type: each })), ...nullable };
}

/** Where schemas stand in a schema: one or a list of them, and several by name. */
const PLACES = ['items', 'additionalProperties', 'prefixItems', 'anyOf', 'oneOf', 'allOf'] as const;
const NAMED = ['properties', '$defs', 'definitions'] as const;

/**
 * A JSON Schema with `enum` of one value in place of `const`, which answers' schemas may not have.
 * @see https://ai.google.dev/gemini-api/docs/structured-output#json_schema_support
 */
export function withoutConst(schema: JsonObject, depth = 0): JsonObject {
  if (depth > 2 * MAX_DEPTH) return schema;
  const inner = (value: unknown): unknown => (isObject(value) ? withoutConst(value, depth + 1) : value);
  const { const: only, ...made } = schema;
  if (only !== undefined) made.enum = [only];
  for (const place of PLACES) {
    const value = made[place];
    if (value !== undefined) made[place] = Array.isArray(value) ? value.map(inner) : inner(value);
  }
  for (const place of NAMED) {
    const value = made[place];
    if (!isObject(value)) continue;
    made[place] = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inner(each)]));
  }
  return made;
}
