import { isObject, objectOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';

/** `response_format` as an instruction in words, for models without a field for it. */
export function formatWords(format: unknown): string {
  const { schema } = objectOf(objectOf(format).json_schema);
  return schemaWords(schema);
}

/** @param schema of the answer, if there is one */
export function schemaWords(schema: unknown): string {
  return isObject(schema)
    ? `Answer with one valid JSON value and nothing else. It has to fit this schema: ${jsonTextOf(schema)}`
    : 'Answer with one valid JSON object and nothing else.';
}
