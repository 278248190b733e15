import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Message, Part, Tool } from '../conversation/conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import type { Turn } from './tool-turns.ts';
import { openapiSchema } from '../../wire/gemini/schema.ts';
import { isObject, objectOf, parseExactJson } from '../../wire/json.ts';
import { RejectError } from '../errors.ts';
import { fileProblems } from './chat-check.ts';
import { geminiProblems, isGeminiWord, MAX_IMAGES, MIME_TYPES } from './gemini-check.ts';
import { GEMINI_FUNCTIONS, withFunctions } from './function-rules.ts';
import { imageTypeAt } from './image-type.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { turnsOf } from './tool-turns.ts';
import { alternating, partsOf, systemApart, withoutRefusals } from './turns.ts';
import { isDeeper, loadable, MAX_TOOL_DEPTH } from '../conversation/json.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';

/** Vertex AI limits the size of a file, and of text-only examples in it. */
const MAX_BYTES = 1e9;
const MAX_ROWS = 1_000_000;

/**
 * Supervised tuning of Gemini on Vertex AI. It reads images by reference, and has no field for reasoning.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/models/tune-function-calling
 */
export const geminiFormat: Format = {
  name: 'gemini',
  summary: 'Gemini tuning on Vertex AI',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'systemInstruction', type: 'json', optional: true },
    { name: 'contents', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
  ],
  render: ({ conversation }, options) => {
    const { prompt, answer, tools } = withFunctions(conversation, GEMINI_FUNCTIONS);
    const messages = [...prompt, answer];
    withoutRefusals(messages);
    boundedImages(messages);
    const { system, rest } = systemApart(messages);
    return {
      ...(system === undefined ? {} : { systemInstruction: { parts: [{ text: system }] } }),
      contents: contentsOf(turnsOf(alternating(rest)), options),
      ...(tools.length > 0 ? { tools: [{ functionDeclarations: tools.map(declaration) }] } : {}),
    };
  },
  check: geminiProblems,
  checkFile: (file) => fileProblems(file, { maxRows: MAX_ROWS, maxBytes: MAX_BYTES }),
};

function boundedImages(messages: readonly Message[]): void {
  const images = messages.flatMap(({ content: blocks }) =>
    typeof blocks === 'string' ? [] : blocks.filter(({ type }) => type === 'image_url'),
  );
  if (images.length > MAX_IMAGES) throw new RejectError('too_many_images');
}

/** Results form a user's content, followed by what the user says next, as Google's own command line client sends them. */
function contentsOf(turns: readonly Turn[], options: RenderOptions): JsonObject[] {
  const contents: { role: 'user' | 'model'; parts: JsonObject[] }[] = [];
  for (const turn of turns) {
    const role = turn.by === 'assistant' ? 'model' : 'user';
    const parts = partsIn(turn, options);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  }
  return contents;
}

function partsIn(turn: Turn, options: RenderOptions): JsonObject[] {
  if (turn.by === 'assistant') return modelParts(turn.message, options);
  if (turn.by === 'user') return partsOf(turn.message.content).map(userPart);
  return turn.results.map(({ call, content: text }) => ({
    functionResponse: { name: call.function.name, response: responseOf(text) },
  }));
}

/**
 * Results must be objects. If a text contains numbers that JavaScript would round, or is nested too deeply to be loaded,
 * it stays text.
 */
function responseOf(text: string): JsonObject {
  const value = parseExactJson(text);
  return isObject(value) && !isDeeper(value, MAX_TOOL_DEPTH)
    ? (loadable(value) as JsonObject)
    : { output: text };
}

function modelParts(message: AssistantMessage, options: RenderOptions): JsonObject[] {
  const text = textWithReasoning(message, options);
  const calls = (message.tool_calls ?? []).map(({ function: { name, arguments: args } }) => ({
    functionCall: { name, args: parseLongNumbers(args) },
  }));
  return [...(text === '' ? [] : [{ text }]), ...calls];
}

function userPart(part: Part): JsonObject {
  if (part.type === 'text') return { text: part.text };
  const fileUri = part.image_url.url;
  // If the extension does not tell, the most common type is assumed.
  const mimeType = `image/${imageTypeAt(fileUri) ?? 'jpeg'}`;
  if (!/^(?:gs|https?):\/\//i.test(fileUri) || !MIME_TYPES.has(mimeType))
    throw new RejectError('unsupported_content');
  return { fileData: { mimeType, fileUri } };
}

/** An object without properties is rejected, so a function without parameters has none. */
function declaration({ function: { name, description, parameters } }: Tool): JsonObject {
  const schema = isObject(parameters) ? openapiSchema(parameters) : {};
  const some = Object.keys(objectOf(schema.properties)).length > 0 || schema.anyOf !== undefined;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(some ? { parameters: loudTypes(schema) } : {}),
  };
}

/**
 * Types as enum values in capitals, as in Google's examples for tuning. Types that are none, such as Python's names, are
 * left out, and so are other keywords with a value that Google's types do not allow.
 */
function loudTypes(schema: JsonObject): JsonObject {
  const known = Object.entries(schema).filter(([word, value]) => isGeminiWord(word, value));
  const read: JsonObject = Object.fromEntries(known);
  const { type, properties, items, anyOf } = read;
  return {
    ...read,
    ...(typeof type === 'string' ? { type: type.toUpperCase() } : {}),
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, each]) => [key, loudTypes(objectOf(each))]),
          ),
        }
      : {}),
    ...(isObject(items) ? { items: loudTypes(items) } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((each) => loudTypes(objectOf(each))) } : {}),
  };
}
