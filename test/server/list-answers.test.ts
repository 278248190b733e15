/** Answers that are lists, which Gemini's clients may request: other APIs only know formats of objects. */
import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { requestSentTo } from '../helpers/sent-requests.ts';

const RESPONSE_SCHEMA = { type: 'ARRAY', items: { type: 'STRING' } };
const SCHEMA = '{"type":"array","items":{"type":"string"}}';
const contents = [{ role: 'user', parts: [{ text: 'Name three.' }] }];

function request(responseSchema: object) {
  const generationConfig = { responseMimeType: 'application/json', responseSchema };
  return { contents, generationConfig };
}

function asked(type: Parameters<typeof requestSentTo>[0], model: string, responseSchema: object) {
  const path = `/v1beta/models/${model}:generateContent`;
  return requestSentTo(type, {}, { path, raw: JSON.stringify(request(responseSchema)) });
}

test.each([
  ['openai', 'gpt-4.1', 'response_format'],
  ['openai', 'gpt-5.6', 'text'],
  ['azure', 'gpt-4.1', 'response_format'],
  ['bedrock', 'us.amazon.nova-pro-v1:0', 'toolConfig'],
  ['anthropic', 'claude-opus-4-1', 'tools'],
  ['cohere', 'command-a-03-2025', 'response_format'],
] as const)('%s is asked for a list in words (%s)', async (type, model, field) => {
  const { body } = await asked(type, model, RESPONSE_SCHEMA);
  expect(body).not.toHaveProperty(field);
  expect(JSON.stringify(body)).toContain(JSON.stringify(SCHEMA).slice(1, -1));
});

test.each([
  ['openai', 'gpt-4.1', 'response_format'],
  ['bedrock', 'us.amazon.nova-pro-v1:0', 'toolConfig'],
  ['anthropic', 'claude-opus-4-1', 'tools'],
  ['cohere', 'command-a-03-2025', 'response_format'],
] as const)('%s is asked for an object in its own field (%s)', async (type, model, field) => {
  const { body } = await asked(type, model, { type: 'OBJECT', properties: { a: { type: 'STRING' } } });
  expect(body).toHaveProperty(field);
});

test('alternatives at the root of parameters stay there except for OpenAI', async () => {
  const parametersJsonSchema = { anyOf: [{ properties: { a: {} } }, { properties: { b: {} } }] };
  const tools = [{ functionDeclarations: [{ name: 'f', parametersJsonSchema }] }];
  const raw = JSON.stringify({ contents, tools });
  const sent = async (type: 'openai' | 'vllm') => {
    const { body } = await requestSentTo(type, {}, { path: '/v1beta/models/gpt-4.1:generateContent', raw });
    return (body.tools as { function: JsonObject }[])[0]!.function.parameters;
  };
  expect(await sent('openai')).toEqual({ type: 'object', properties: { a: {}, b: {} } });
  expect(await sent('vllm')).toMatchObject(parametersJsonSchema);
});

test('servers of OpenAI’s API that accept other formats, and Anthropic’s newer models, get the schema', async () => {
  const schemaOf = ({ body }: { body: JsonObject }) =>
    JSON.stringify(body.response_format ?? body.output_config);
  expect(schemaOf(await asked('vllm', 'qwen', RESPONSE_SCHEMA))).toContain(SCHEMA);
  expect(schemaOf(await asked('anthropic', 'claude-sonnet-4-6', RESPONSE_SCHEMA))).toContain(SCHEMA);
});
