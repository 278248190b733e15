/** The response format, for targets that support it partially or not at all. */
import type { JsonObject } from '../json.ts';
import type { Abilities } from './abilities.ts';
import type { Shape } from './shapes.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { schemaWords } from './format-words.ts';

/** The format as an instruction, and as far as a field can express it. */
export function withPlainFormat(
  body: JsonObject,
  shape: Shape,
  abilities: Abilities,
  dropped: string[],
): JsonObject {
  if (shape === 'gemini') return withPlainGoogleFormat(body, abilities, dropped);
  const owner = { chat: 'response_format', messages: 'output_config', responses: 'text' }[shape];
  const format = shape === 'chat' ? body.response_format : objectOf(body[owner]).format;
  const { type } = objectOf(format);
  const isSchema = type === 'json_schema';
  if (!isSchema && (type !== 'json_object' || abilities.json_object !== false)) return body;
  if (isSchema && abilities.json_schema !== false) return body;
  const { schema } = shape === 'chat' ? objectOf(objectOf(format).json_schema) : objectOf(format);
  const words = schemaWords(isSchema ? schema : undefined);
  const plain = shape !== 'messages' && abilities.json_object !== false ? { type: 'json_object' } : undefined;
  dropped.push(shape === 'chat' ? `response_format${isSchema ? '.json_schema' : ''}` : `${owner}.format`);
  if (shape === 'chat') {
    const { response_format: _, ...rest } = body;
    const instruction = { role: 'system', content: words };
    return {
      ...rest,
      messages: [instruction, ...listOf(body.messages)],
      ...(plain ? { response_format: plain } : {}),
    };
  }
  const { format: _, ...others } = objectOf(body[owner]);
  const left = plain ? { ...others, format: plain } : others;
  const { [owner]: _owner, ...rest } = body;
  const kept = Object.keys(left).length > 0 ? { [owner]: left } : {};
  return { ...rest, ...kept, ...instructedBy(body, shape, words) };
}

/** Gemini's fields for the response format. */
const GOOGLE_SCHEMAS = [
  'responseSchema',
  'response_schema',
  'responseJsonSchema',
  'response_json_schema',
] as const;

function withPlainGoogleFormat(
  body: JsonObject,
  { json_object: plain }: Abilities,
  dropped: string[],
): JsonObject {
  const name = body.generation_config === undefined ? 'generationConfig' : 'generation_config';
  const config = objectOf(body[name]);
  const given = GOOGLE_SCHEMAS.find((field) => isObject(config[field]));
  const isJson = (config.responseMimeType ?? config.response_mime_type) === 'application/json';
  if (given === undefined && (!isJson || plain !== false)) return body;
  const left = { ...config };
  for (const field of GOOGLE_SCHEMAS) delete left[field];
  if (plain === false) {
    delete left.responseMimeType;
    delete left.response_mime_type;
  }
  dropped.push(`${name}.${given ?? 'responseMimeType'}`);
  const { systemInstruction, system_instruction, ...rest } = body;
  const before = listOf(objectOf(systemInstruction ?? system_instruction).parts);
  const words = schemaWords(given === undefined ? undefined : config[given]);
  return { ...rest, [name]: left, systemInstruction: { parts: [...before, { text: words }] } };
}

function instructedBy(body: JsonObject, shape: 'messages' | 'responses', words: string): JsonObject {
  if (shape === 'responses') {
    const existing = stringOf(body.instructions);
    return { instructions: existing ? `${existing}\n\n${words}` : words };
  }
  const { system } = body;
  const before = typeof system === 'string' ? [{ type: 'text', text: system }] : listOf(system);
  return { system: [...before, { type: 'text', text: words }] };
}
