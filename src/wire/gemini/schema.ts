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

/** Other formats are rejected. */
const FORMATS = new Set<unknown>(['date-time', 'enum', 'int32', 'int64', 'float', 'double']);

/** Deeper schemas are truncated. */
const MAX_DEPTH = 32;

/** References can expand a small schema without bound: above about this many characters, objects are left open. */
const MAX_REFERRED = 256 * 1024;

/**
 * Converts a JSON Schema to the subset of OpenAPI's that older models accept: references are resolved, `const` becomes
 * `enum`, several types become `anyOf`, and unsupported keywords are dropped. Where a schema contains itself, any
 * object is allowed.
 * @see https://ai.google.dev/api/caching#Schema
 */
export function openapiSchema(schema: unknown): JsonObject {
  return new Conversion(objectOf(schema)).convert(objectOf(schema), new Set());
}

/** Merges a schema with what it refers to and is composed of. */
interface Resolved {
  readonly schema: JsonObject;
  /** The references that led here. */
  readonly path: ReadonlySet<string>;
}

class Conversion {
  readonly #root: JsonObject;
  #referred = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** @param path the references that led here */
  convert(given: JsonObject, path: ReadonlySet<string>, depth = 0): JsonObject {
    const found = this.#resolved(given, path, depth);
    if (!found) return { type: 'object' };
    const inner = (value: unknown) => this.convert(objectOf(value), found.path, depth + 1);
    const { properties, items, anyOf, oneOf, format, ...rest } = found.schema;
    const made: JsonObject = Object.fromEntries(Object.entries(rest).filter(([name]) => KNOWN.has(name)));
    // A description may be arbitrarily long.
    if (typeof made.default === 'object') delete made.default;
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

  /** `undefined` if a schema contains itself, or is too large. */
  #resolved(given: JsonObject, path: ReadonlySet<string>, depth: number): Resolved | undefined {
    if (depth > MAX_DEPTH) return undefined;
    // A part that occurs once is no longer than the request.
    if (path.size > 0 && !this.#affords(given, path)) return undefined;
    let schema = given;
    let steps = path;
    for (let reference = stringOf(schema.$ref); reference; reference = stringOf(schema.$ref)) {
      const target = this.#at(reference);
      if (steps.has(reference) || !this.#affords(target, steps)) return undefined;
      steps = new Set(steps).add(reference);
      const { $ref: _, ...rest } = schema;
      schema = { ...target, ...rest };
    }
    const { allOf, ...own } = schema;
    if (!Array.isArray(allOf)) return { schema, path: steps };
    const parts: Resolved[] = [];
    for (const each of allOf) {
      // Each with its own path: two parts may refer to the same third one.
      const part = this.#resolved(objectOf(each), steps, depth + 1);
      if (!part) return undefined;
      parts.push(part);
    }
    return {
      schema: composed([own, ...parts.map((part) => part.schema)]),
      path: new Set([...steps, ...parts.flatMap((part) => [...part.path])]),
    };
  }

  /** Counts the cost of a further copy: the effort of copying, and its length. */
  #affords(schema: JsonObject, path: ReadonlySet<string>): boolean {
    if (this.#referred <= MAX_REFERRED) this.#referred += lengthOf(schema) + path.size;
    return this.#referred <= MAX_REFERRED;
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

/** The approximate length of a schema without nested schemas, which are counted when they are reached. */
function lengthOf(schema: JsonObject): number {
  let length = 0;
  for (const [name, value] of Object.entries(schema)) {
    length += 8 + name.length;
    if (typeof value === 'string') length += value.length;
    else if (Array.isArray(value)) {
      for (const each of value) length += 8 + (typeof each === 'string' ? each.length : 0);
    } else if (name === 'properties') {
      for (const key of Object.keys(objectOf(value))) length += 8 + key.length;
    }
  }
  return length;
}

/**
 * A schema merged with the parts of its `allOf`. The first value of a keyword is used; `required` lists are combined.
 */
function composed(schemas: readonly JsonObject[]): JsonObject {
  const made = new Map<string, unknown>();
  const properties = new Map<string, unknown>();
  const required = new Set<unknown>();
  for (const schema of schemas) {
    for (const [name, value] of Object.entries(schema)) if (!made.has(name)) made.set(name, value);
    for (const [name, value] of Object.entries(objectOf(schema.properties))) {
      if (!properties.has(name)) properties.set(name, value);
    }
    for (const name of listOf(schema.required)) required.add(name);
  }
  if (properties.size > 0) made.set('properties', Object.fromEntries(properties));
  if (required.size > 0) made.set('required', [...required]);
  return Object.fromEntries(made);
}

/** An enumeration. Its values are texts: for other values only the type is kept. */
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

/** Keywords whose values are schemas: one or a list of them, and maps of them. */
const PLACES = ['items', 'additionalProperties', 'prefixItems', 'anyOf', 'oneOf', 'allOf'] as const;
const NAMED = ['properties', '$defs', 'definitions'] as const;

/**
 * Replaces `const` by an `enum` of one value, since response schemas must not contain `const`.
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
