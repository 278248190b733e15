import type { Json } from '../read/json.ts';
import { isObject } from '../read/json.ts';

/** A schema of Google's own as JSON Schema has it: types are written small, and `null` is one of them. */
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
