import type { ChatRequest } from '../chat.ts';
import { isObject, listOf, objectOf } from '../json.ts';

/** Definitions may refer to each other. */
const MAX_REFERENCES = 8;

/**
 * Whether answers that fit a schema are objects, as OpenAI's and Cohere's response formats and the parameters of all
 * tools must be. Gemini's formats may also be lists, texts or numbers.
 */
export function hasObjectRoot(schema: unknown): boolean {
  let root = objectOf(schema);
  for (let count = 0; count < MAX_REFERENCES && typeof root.$ref === 'string'; count++) {
    const [, place = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(root.$ref) ?? [];
    root = objectOf(objectOf(objectOf(schema)[place])[name]);
  }
  const { type, enum: values, const: value } = root;
  if (type === undefined) return value === undefined ? !listOf(values).some(isPlain) : isObject(value);
  return type === 'object' || (Array.isArray(type) && type.includes('object'));
}

/** Whether a request asks for an answer that fits a schema, but is no object. */
export function asksForOtherRoot({ response_format: format }: ChatRequest): boolean {
  if (format?.type !== 'json_schema') return false;
  const { schema } = objectOf(format.json_schema);
  return isObject(schema) && !hasObjectRoot(schema);
}

function isPlain(value: unknown): boolean {
  return !isObject(value);
}
