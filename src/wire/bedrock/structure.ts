import type { ChatRequest } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ConverseModel } from './models.ts';
import { isObject } from '../json.ts';
import type { SchemaBudget } from '../parts/schema-budget.ts';
import { schemaWords } from '../facts/format-words.ts';
import { hasObjectRoot } from '../facts/object-root.ts';
import { closedSchema } from '../parts/closed-schema.ts';
import { spec } from './tools.ts';

/** How structured output is requested. */
export interface Structure {
  /** Fields of the request. */
  readonly fields: JsonObject;
  /** Instructions for the model. */
  readonly system: JsonObject[];
  /** The tool whose call is the answer, and its name. */
  readonly tool: JsonObject | undefined;
  readonly name: string | undefined;
}

/**
 * `response_format`: Bedrock's own if the model supports it and it can express the schema, otherwise a forced tool call, or
 * an instruction.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
 */
export function structure(
  { response_format: format }: ChatRequest,
  model: ConverseModel,
  budget: SchemaBudget,
): Structure {
  const none: Structure = { fields: {}, system: [], tool: undefined, name: undefined };
  if (format?.type === 'json_object') {
    return { ...none, system: [{ text: 'Answer with one valid JSON object and nothing else.' }] };
  }
  if (format?.type !== 'json_schema') return none;
  const { schema: requested, name: given, description } = (format.json_schema ?? {}) as JsonObject;
  const schema = isObject(requested) ? requested : { type: 'object' };
  const name = typeof given === 'string' && given !== '' ? given : 'answer';
  const closed = model.jsonSchema ? budget.grant(closedSchema(schema), 'answer') : undefined;
  if (closed) {
    const about = typeof description === 'string' && description !== '' ? { description } : {};
    const jsonSchema = { schema: JSON.stringify(closed), name, ...about };
    const textFormat = { type: 'json_schema', structure: { jsonSchema } };
    return { ...none, fields: { outputConfig: { textFormat } } };
  }
  // The arguments of a tool are an object.
  if (model.demands === 'none' || !hasObjectRoot(schema)) {
    return { ...none, system: [{ text: schemaWords(schema) }] };
  }
  const tool = spec({ name, description: 'Gives the answer. Call it exactly once.', parameters: schema });
  return { ...none, tool, name };
}
