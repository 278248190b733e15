/** Values that a parameter may have, for LLaMA-Factory: several of its templates join them as texts, and fail on others. */
import { isObject, listOf, objectOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Problems } from './problems.ts';

/**
 * A schema of parameters in which every `enum` of a property contains texts only; others say the same by `const`. The
 * same object if nothing has to change.
 */
export function withTextEnums(parameters: JsonObject): JsonObject {
  const properties = objectOf(parameters.properties);
  if (!Object.values(properties).some(hasOtherValues)) return parameters;
  const fitted = Object.entries(properties).map(([name, schema]) => [
    name,
    hasOtherValues(schema) ? withConstants(schema) : schema,
  ]);
  return { ...parameters, properties: Object.fromEntries(fitted) as JsonObject };
}

export function textEnumProblems(parameters: JsonObject, path: string): Problems {
  return Object.entries(objectOf(parameters.properties))
    .filter(([, schema]) => hasOtherValues(schema))
    .map(([name]) => `${path}.properties.${name}.enum: expected texts, since LLaMA-Factory fails on others`);
}

function hasOtherValues(schema: unknown): schema is JsonObject {
  return isObject(schema) && listOf(schema.enum).some((value) => typeof value !== 'string');
}

function withConstants({ enum: values, ...schema }: JsonObject): JsonObject {
  const anyOf = listOf(values).map((value) => ({ const: value }));
  if (schema.anyOf === undefined) return { ...schema, anyOf };
  return { ...schema, allOf: [...listOf(schema.allOf), { anyOf }] };
}
