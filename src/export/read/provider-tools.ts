/**
 * Hosted tools: searches, code, remote tools. Their results are in no message, so that an answer based on them would be
 * trained as if the model had known the content.
 */
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';

/** Blocks of Anthropic's messages; the results of the client's own tools are `tool_result`. */
const BLOCK = /^(?:server_tool_use|mcp_tool_use|\w+_tool_result)$/;
/** Items of OpenAI's responses; those of the client's own tools are `function_call` and similar ones. */
const ITEM = /^(?:web_search|file_search|code_interpreter|image_generation|mcp|tool_search)_call$/;
/** Fields in which chat servers list results: Perplexity and xAI beside the answer, Groq within it. */
const FOUND = ['citations', 'search_results'];
const RAN = ['executed_tools', 'search_results'];

/** Parts of Gemini's contents, and the fields that list the pages it has read. */
const PARTS = ['executableCode', 'codeExecutionResult'];
const GROUNDS = ['groundingChunks', 'webSearchQueries', 'urlMetadata'];

type RanTools = (request: JsonObject, response: JsonObject) => boolean;

/** Whether an exchange of a protocol, or its history, is based on a hosted tool. */
export const RAN_TOOLS: Readonly<Partial<Record<string, RanTools>>> = {
  messages: ({ messages }, response) =>
    [...listOf(messages), response].some((message) =>
      listOf(objectOf(message).content).some((block) => BLOCK.test(typeOf(block))),
    ),
  responses: ({ input }, { output }) =>
    [...listOf(input), ...listOf(output)].some((item) => ITEM.test(typeOf(item))),
  gemini: ({ contents }, { candidates }) =>
    [...listOf(contents), ...listOf(candidates).map((candidate) => objectOf(candidate).content)].some(
      (content) =>
        listOf(objectOf(content).parts).some((part) => PARTS.some((kind) => kind in objectOf(part))),
    ) || listOf(candidates).some(isGrounded),
};

function isGrounded(candidate: unknown): boolean {
  const { groundingMetadata, urlContextMetadata } = objectOf(candidate);
  const grounds = { ...objectOf(groundingMetadata), ...objectOf(urlContextMetadata) };
  return GROUNDS.some((field) => listOf(grounds[field]).length > 0);
}

/** The same for chat. @param answer the assistant message */
export function chatRanTools({ messages }: JsonObject, response: JsonObject, answer: JsonObject): boolean {
  if (holdsSome(response, FOUND) || messageRanTools(answer)) return true;
  for (const message of listOf(messages)) if (isObject(message) && messageRanTools(message)) return true;
  return false;
}

function messageRanTools(message: JsonObject): boolean {
  if (holdsSome(message, RAN)) return true;
  const { annotations } = message;
  return annotations !== undefined && listOf(annotations).some((note) => typeOf(note) === 'url_citation');
}

/** Whether one of the fields is a non-empty list. */
function holdsSome(object: JsonObject, fields: readonly string[]): boolean {
  for (const field of fields) {
    const value = object[field];
    if (Array.isArray(value) && value.length > 0) return true;
  }
  return false;
}

function typeOf(value: unknown): string {
  return stringOf(objectOf(value).type) ?? '';
}
