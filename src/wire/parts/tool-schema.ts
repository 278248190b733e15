import type { JsonObject } from '../json.ts';
import { isObject } from '../json.ts';

/**
 * The schema of a tool's parameters with `type: "object"`, which Anthropic, Bedrock, Cohere and OpenAI require at its
 * root, and with `properties`, which OpenAI requires beside it. Clients leave the type out where the root is a `$ref` to
 * a recursive definition, or has only `properties`; MCP servers leave these out for tools without parameters.
 * @param schema the client's; without one, the tool has no parameters
 * @returns the same object if nothing is missing
 */
export function toolSchema(schema: unknown): JsonObject {
  if (!isObject(schema)) return { type: 'object', properties: {} };
  const typed = typeof schema.type === 'string' ? schema : { ...schema, type: 'object' };
  return typed.type !== 'object' || isObject(typed.properties) ? typed : { ...typed, properties: {} };
}
