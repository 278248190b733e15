import { isObject, listOf } from '../read/json.ts';

/** Keywords that Anthropic rejects in schemas of strict tools and structured output. */
const REJECTED = new Set(
  'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength maxItems uniqueItems minProperties maxProperties patternProperties prefixItems oneOf not if then else'.split(
    ' ',
  ),
);

/** Whether Anthropic accepts a schema: all objects are closed, and no rejected keyword is used. */
export function isClosed(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  const { type, properties, items, anyOf, allOf, $defs, definitions } = schema;
  if (Object.keys(schema).some((name) => REJECTED.has(name))) return false;
  if ((type === 'object' || isObject(properties)) && schema.additionalProperties !== false) return false;
  const named = [properties, $defs, definitions].flatMap((each) =>
    isObject(each) ? Object.values(each) : [],
  );
  const inner = [...named, ...listOf(anyOf), ...listOf(allOf), ...(items === undefined ? [] : [items])];
  return inner.every(isClosed);
}
