import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { toolSchema } from './tool-schema.ts';

/** Keywords for alternatives. */
const ANY = ['anyOf', 'oneOf'] as const;

/** Definitions may refer to each other without end: this many parts of a schema are read. */
const MAX_PARTS = 500;
const MAX_DEPTH = 8;

/**
 * The schema of a tool's parameters without `anyOf`, `oneOf` and `allOf` at its root, which Anthropic, Claude at
 * Bedrock and OpenAI reject ("input_schema does not support oneOf, allOf, or anyOf at the top level"), but servers of
 * tools use. The properties of all alternatives become those of the root, and what all of them require is required:
 * the result accepts everything that the original accepts.
 * @param schema the client's; without one, the tool has no parameters
 * @returns the same object if nothing has to change
 */
export function rootSchema(schema: unknown): JsonObject {
  const typed = toolSchema(schema);
  if (![...ANY, 'allOf'].some((name) => Array.isArray(typed[name]))) return typed;
  const { properties, required, closed } = new Reader(typed).shape(typed, 0);
  const { anyOf: _any, oneOf: _one, allOf: _all, required: _required, ...rest } = typed;
  return {
    ...rest,
    properties: Object.fromEntries(
      [...properties].map(([name, found]) => [name, together([...found.values()])]),
    ),
    ...(required.size > 0 ? { required: [...required] } : {}),
    ...(closed && rest.additionalProperties === undefined ? { additionalProperties: false } : {}),
  };
}

/** What is known about an object that fits a schema. */
interface Shape {
  /** The schemas of each property, by their JSON. */
  readonly properties: Map<string, Map<string, unknown>>;
  readonly required: Set<unknown>;
  /** Whether no other properties are allowed. */
  readonly closed: boolean;
}

class Reader {
  readonly #root: JsonObject;
  #left = MAX_PARTS;

  /** @param root contains the definitions */
  constructor(root: JsonObject) {
    this.#root = root;
  }

  shape(part: unknown, depth: number): Shape {
    const shape = { properties: new Map(), required: new Set<unknown>(), closed: false };
    if (depth > MAX_DEPTH || this.#left-- <= 0) return shape;
    const schema = this.#resolved(part);
    for (const [name, property] of Object.entries(objectOf(schema.properties))) {
      add(shape.properties, name, JSON.stringify(property), property);
    }
    for (const name of listOf(schema.required)) shape.required.add(name);
    shape.closed = schema.additionalProperties === false;
    for (const each of listOf(schema.allOf)) {
      const { properties, required } = this.shape(each, depth + 1);
      merge(shape.properties, properties);
      for (const name of required) shape.required.add(name);
    }
    for (const keyword of ANY) {
      const shapes = listOf(schema[keyword]).map((each) => this.shape(each, depth + 1));
      for (const { properties } of shapes) merge(shape.properties, properties);
      for (const name of shapes[0]?.required ?? []) {
        if (shapes.every(({ required }) => required.has(name))) shape.required.add(name);
      }
      shape.closed ||= shapes.length > 0 && shapes.every(({ closed }) => closed);
    }
    return shape;
  }

  /** A schema with the definition that it refers to; one of another kind says nothing. */
  #resolved(part: unknown): JsonObject {
    let schema = objectOf(part);
    for (let depth = 0; depth < MAX_DEPTH && typeof schema.$ref === 'string'; depth++) {
      const [, place = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(schema.$ref) ?? [];
      const definitions = objectOf(this.#root[place]);
      const { $ref: _, ...beside } = schema;
      schema = { ...(Object.hasOwn(definitions, name) ? objectOf(definitions[name]) : {}), ...beside };
    }
    return schema;
  }
}

function add(properties: Shape['properties'], name: string, json: string, schema: unknown): void {
  const found = properties.get(name);
  if (found) found.set(json, schema);
  else properties.set(name, new Map([[json, schema]]));
}

function merge(into: Shape['properties'], from: Shape['properties']): void {
  for (const [name, schemas] of from) for (const [json, schema] of schemas) add(into, name, json, schema);
}

/** One schema for a property: alternatives that only allow certain values become one list of them. */
function together(schemas: readonly unknown[]): unknown {
  if (schemas.length === 1) return schemas[0];
  const values = schemas.map(valuesOf);
  if (values.every((each) => each !== undefined)) return { enum: [...new Set(values.flat())] };
  return { anyOf: schemas };
}

/** The only values that a schema allows, if nothing else but their type is said about them. */
function valuesOf(schema: unknown): unknown[] | undefined {
  if (!isObject(schema)) return undefined;
  const { type: _, const: value, enum: list, ...rest } = schema;
  if (Object.keys(rest).length > 0) return undefined;
  if (value !== undefined) return [value];
  return Array.isArray(list) ? list : undefined;
}
