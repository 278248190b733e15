import type { Json } from '../read/json.ts';
import { isObject } from '../read/json.ts';

/** Converts a schema in Google's format to JSON Schema: types in lower case, `null` as one of them. */
export function jsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(jsonSchema);
  if (!isObject(schema)) return schema;
  const { type, nullable, propertyOrdering: _, property_ordering: __, ...others } = schema;
  const made: Json = {};
  for (const [name, value] of Object.entries(others)) {
    made[name === 'any_of' ? 'anyOf' : name] = name === 'properties' ? eachOf(value) : jsonSchema(value);
  }
  if (typeof type !== 'string') return made;
  const plain = type.toLowerCase();
  return { ...made, type: nullable === true ? [plain, 'null'] : plain };
}

function eachOf(properties: unknown): unknown {
  if (!isObject(properties)) return properties;
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, jsonSchema(value)]));
}
