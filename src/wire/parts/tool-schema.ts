import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/**
 * The schema of a tool's parameters with `type: "object"`, which Anthropic, Bedrock, Cohere and OpenAI require at its
 * root. Clients leave it out where the root is a `$ref` to a recursive definition, or has only `properties`.
 * @param schema the client's; without one, the tool has no parameters
 */
export function toolSchema(schema: unknown): JsonObject {
  if (!isObject(schema)) return { type: 'object', properties: {} };
  return typeof schema.type === 'string' ? schema : { ...schema, type: 'object' };
}
