import { isObject, listOf } from './json.ts';

/**
 * Whether OpenAI accepts it as a strict schema: every object is closed and requires all of its properties. Other
 * vendors demand less, and OpenAI rejects a schema that is not strict enough.
 * @see https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
export function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (!isObject(schema)) return true;
  if (isObject(schema.properties)) {
    const required = new Set(listOf(schema.required));
    const closed = schema.additionalProperties === false;
    if (!closed || !Object.keys(schema.properties).every((name) => required.has(name))) return false;
    if (!Object.values(schema.properties).every(isStrict)) return false;
  } else if (schema.type === 'object') return false;
  const { items, anyOf, $defs, definitions } = schema;
  return [items, anyOf, ...values($defs), ...values(definitions)].every(isStrict);
}

function values(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}
