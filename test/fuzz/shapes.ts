/** The minimum that clients of each API rely on in an unstreamed answer that the proxy made. */
import type { Endpoint } from '../../src/wire/endpoints.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { geminiProblems } from '../helpers/published/gemini.ts';
import { interactionProblems } from '../helpers/published/interactions.ts';
import { ollamaProblems } from '../helpers/published/ollama.ts';
import { isObject, objectOf } from '../../src/wire/json.ts';

const isText = (value: unknown) => typeof value === 'string';
const isTextOrNull = (value: unknown) => value === null || value === undefined || isText(value);
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;

type Check = (claim: string, holds: boolean) => void;

const SHAPES: Readonly<Partial<Record<Endpoint, (body: JsonObject, check: Check) => void>>> = {
  chat({ id, object, created, model, choices, usage }, check) {
    check('id, model', isText(id) && isText(model));
    check('object', object === 'chat.completion');
    check('created', Number.isInteger(created));
    check('choices', Array.isArray(choices) && choices.length > 0);
    for (const each of Array.isArray(choices) ? choices : []) {
      const { index, message, finish_reason: finish } = objectOf(each);
      const { role, content, tool_calls: calls } = objectOf(message);
      check('choices[].index', Number.isInteger(index));
      check('choices[].finish_reason', isText(finish));
      check('choices[].message', role === 'assistant' && isTextOrNull(content));
      check(
        'choices[].message.tool_calls',
        calls === undefined || (Array.isArray(calls) && calls.every(isCall)),
      );
    }
    usageOf(usage, ['prompt_tokens', 'completion_tokens', 'total_tokens'], check);
  },
  messages({ id, type, role, model, content, stop_reason: reason, usage }, check) {
    check('id, model', isText(id) && isText(model));
    check('type, role', type === 'message' && role === 'assistant');
    check('stop_reason', isText(reason));
    check('content', Array.isArray(content));
    for (const each of Array.isArray(content) ? content : []) {
      const block = objectOf(each);
      check('content[].type', isText(block.type));
      check('content[].text', block.type !== 'text' || isText(block.text));
      check(
        'content[].input',
        block.type !== 'tool_use' || (isObject(block.input) && isText(block.id) && isText(block.name)),
      );
    }
    check('usage', isObject(usage));
    usageOf(usage, ['input_tokens', 'output_tokens'], check);
  },
  responses({ id, object, status, model, output, usage }, check) {
    check('id, model', isText(id) && isText(model));
    check('object', object === 'response');
    check('status', status === 'completed' || status === 'incomplete');
    check('output', Array.isArray(output));
    for (const each of Array.isArray(output) ? output : []) {
      const item = objectOf(each);
      check('output[].type', isText(item.type));
      check('output[].content', item.type !== 'message' || Array.isArray(item.content));
      check('output[].arguments', item.type !== 'function_call' || isText(item.arguments));
    }
    usageOf(usage, ['input_tokens', 'output_tokens', 'total_tokens'], check);
  },
  embeddings({ object, data, usage }, check) {
    check('object', object === 'list');
    check('data', Array.isArray(data) && data.length > 0);
    for (const each of Array.isArray(data) ? data : []) {
      const { embedding, index } = objectOf(each);
      const numbers = Array.isArray(embedding) && embedding.every((value) => typeof value === 'number');
      check('data[].embedding', isText(embedding) || numbers);
      check('data[].index', isCount(index));
    }
    usageOf(usage, ['prompt_tokens', 'total_tokens'], check);
  },
  'messages.count_tokens': ({ input_tokens: count }, check) => check('input_tokens', isCount(count)),
  'responses.input_tokens': ({ input_tokens: count }, check) => check('input_tokens', isCount(count)),
};

function isCall(value: unknown): boolean {
  const { id, type, function: fn } = objectOf(value);
  const { name, arguments: text } = objectOf(fn);
  return isText(id) && type === 'function' && isText(name) && isText(text);
}

function usageOf(usage: unknown, names: readonly string[], check: Check): void {
  if (usage === undefined || usage === null) return;
  for (const name of names) check(`usage.${name}`, isCount(objectOf(usage)[name]));
}

/** Endpoints whose answers are checked against a published schema. */
const PUBLISHED: Readonly<Partial<Record<Endpoint, (body: JsonObject) => string[]>>> = {
  gemini: (body) => geminiProblems('answer', body),
  'gemini.count_tokens': (body) => geminiProblems('count', body),
  'gemini.embed': (body) => geminiProblems('embedding', body),
  'gemini.batch_embed': (body) => geminiProblems('embeddings', body),
  'gemini.interactions': (body) => interactionProblems('interaction', body),
  'ollama.chat': (body) => ollamaProblems('chat', body),
  'ollama.generate': (body) => ollamaProblems('generate', body),
  'ollama.embed': (body) => ollamaProblems('embed', body),
  'ollama.embeddings': (body) => ollamaProblems('embeddings', body),
};

/** The ways in which an answer differs from the shape that its clients expect. */
export function shapeProblems(endpoint: Endpoint, body: JsonObject): string[] {
  const all = PUBLISHED[endpoint]?.(body) ?? [];
  // A function call without a name is the provider's mistake.
  const published = all.filter((problem) => !/\.name: Too small/.test(problem));
  if (published.length > 0)
    return published.slice(0, 3).map((problem) => `the answer is none of its protocol: ${problem}`);
  const wrong = new Set<string>();
  SHAPES[endpoint]?.(body, (claim, holds) => {
    if (!holds) wrong.add(claim);
  });
  return [...wrong].map((claim) => `the answer is none of its protocol: ${claim}`);
}
