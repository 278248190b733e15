/**
 * What an exchange contains that no row shows. Hosted tools (searches, code, remote tools) leave their results in no
 * message, so that an answer based on them would be trained as if the model had known the content. Each protocol has a
 * closed list of what becomes part of a row: a kind of content that is not on it, such as one that a vendor adds
 * tomorrow, is hidden.
 */
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { fieldOf } from '../../wire/gemini/client-check.ts';

export interface Hidden {
  /** Whether the provider ran a tool. */
  readonly tools: boolean;
  /** Whether there is other content that no row shows, such as a file that the model created. */
  readonly content: boolean;
}

/** How a kind of content relates to a row. */
type Sight = 'shown' | 'tool' | 'content';

type Look = (request: JsonObject, response: JsonObject) => Hidden;

/** What is hidden, by the protocol of the exchange. */
export const HIDDEN: Readonly<Partial<Record<string, Look>>> = {
  messages: ({ messages }, response) => {
    const blocks = [...listOf(messages), response].flatMap((message) => objectsOf(objectOf(message).content));
    const cited = blocks.some(({ citations }) => objectsOf(citations).some(isFoundPage));
    return hidden(blocks.map(blockSight), cited || isToolUsage(response.usage));
  },
  responses: ({ input }, { output, usage }) => {
    const items = [...objectsOf(input), ...objectsOf(output)];
    const parts = items.flatMap(({ content }) => objectsOf(content));
    const cited = parts.some(({ annotations }) => objectsOf(annotations).some(isCitation));
    return hidden(items.map(itemSight), cited || isToolUsage(usage));
  },
  gemini: (request, response) => {
    const candidates = objectsOf(response.candidates);
    const contents = [
      ...objectsOf(request.contents),
      ...candidates.map((candidate) => objectOf(candidate.content)),
    ];
    const parts = contents.flatMap(({ parts: answerBlocks }) => objectsOf(answerBlocks));
    const found = candidates.some(isGrounded) || isToolUsage(response.usageMetadata);
    return hidden(parts.flatMap(partSights), found);
  },
  'gemini.interactions': ({ input }, { steps, usage }) => {
    const taken = [...objectsOf(input), ...objectsOf(steps)];
    const answerBlocks = taken.flatMap(({ content }) => objectsOf(content));
    const answers = taken.filter(({ type, role }) => type === 'model_output' || role === 'model');
    const answered = answers.flatMap(({ content }) => objectsOf(content));
    const cited = answerBlocks.some(({ annotations }) => objectsOf(annotations).some(isCitation));
    return hidden([...taken.map(stepSight), ...answered.map(typeSight)], cited || isToolUsage(usage));
  },
};

/**
 * Whether the provider ran a tool for a chat.
 * @param answer the assistant message
 */
export function chatRanTools({ messages }: JsonObject, response: JsonObject, answer: JsonObject): boolean {
  if (holdsSome(response, FOUND) || messageRanTools(answer) || isToolUsage(response.usage)) return true;
  if (listOf(objectOf(response.search_info).search_results).length > 0) return true;
  for (const message of listOf(messages)) if (isObject(message) && messageRanTools(message)) return true;
  return false;
}

/**
 * What the client did not get of the answer because its protocol cannot express it.
 * @param dropped `answer_dropped` of the record
 */
export function hiddenFromClient(dropped: unknown, endpoint: string): Hidden {
  const sights = listOf(dropped).map((name): Sight => {
    const [kind = ''] = String(name).split(' ');
    if (kind === 'hosted_tool') return 'tool';
    // Clients of Ollama send nothing that could be cited: a search has found it.
    if (kind === 'citation' && endpoint.startsWith('ollama')) return 'tool';
    return MEDIA.has(kind) ? 'content' : 'shown';
  });
  return hidden(sights, false);
}

function hidden(sights: readonly Sight[], tools: boolean): Hidden {
  return { tools: tools || sights.includes('tool'), content: sights.includes('content') };
}

const MEDIA: ReadonlySet<string> = new Set(['image', 'audio', 'file']);

const BLOCKS: ReadonlySet<string> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'tool_result',
  'image',
  'document',
  'search_result',
  'tool_reference',
  'tool_addition',
  'tool_removal',
  'compaction',
  'fallback',
]);

function blockSight({ type }: JsonObject): Sight {
  const name = stringOf(type) ?? 'text';
  if (BLOCKS.has(name)) return 'shown';
  return /_tool_(?:use|result)$|^server_tool_use$/.test(name) ? 'tool' : 'content';
}

/** Citations of documents and search results that the client sent refer to what the row shows. */
function isFoundPage({ type }: JsonObject): boolean {
  return type === 'web_search_result_location';
}

const ITEMS: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'compaction',
  'item_reference',
  'additional_tools',
  // The tools of a server; calls of them are items of their own.
  'mcp_list_tools',
]);

/** All other items come from tools. */
function itemSight({ type }: JsonObject): Sight {
  return ITEMS.has(stringOf(type) ?? 'message') ? 'shown' : 'tool';
}

function isCitation({ type }: JsonObject): boolean {
  return /citation|^file_path$/.test(stringOf(type) ?? '');
}

/** Fields of a part, and fields that describe it, in both spellings of Google's APIs. */
const PARTS: ReadonlySet<string> = new Set([
  'text',
  'thought',
  'thoughtsignature',
  'functioncall',
  'functionresponse',
  'inlinedata',
  'filedata',
  'videometadata',
  'mediaresolution',
  'partmetadata',
]);

function partSights(part: JsonObject): Sight[] {
  return Object.entries(part).flatMap(([field, value]): Sight[] => {
    const name = field.replaceAll('_', '').toLowerCase();
    if (value === null || PARTS.has(name)) return [];
    return [/^(?:executablecode|codeexecutionresult|tool)/.test(name) ? 'tool' : 'content'];
  });
}

/** Without a search, what remains is the score of whether one was needed. */
function isGrounded(candidate: JsonObject): boolean {
  const { retrievalMetadata: _, ...grounds } = objectOf(fieldOf(candidate, 'groundingMetadata'));
  const pages = objectOf(fieldOf(candidate, 'urlContextMetadata'));
  return [...Object.values(grounds), ...Object.values(pages)].some(isFilled);
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.values(value).some(isFilled);
  return value !== null && value !== undefined && value !== '';
}

const STEPS: ReadonlySet<string> = new Set([
  'user_input',
  'model_output',
  'thought',
  'function_call',
  'function_result',
  // A list of contents is also accepted in place of steps.
  'text',
  'image',
  'audio',
  'video',
  'document',
]);

function stepSight({ type }: JsonObject): Sight {
  const name = stringOf(type) ?? 'user_input';
  if (STEPS.has(name)) return 'shown';
  return /_(?:call|result)$/.test(name) ? 'tool' : 'content';
}

/** Media in an answer; images are told apart later. */
function typeSight({ type }: JsonObject): Sight {
  const name = stringOf(type) ?? 'text';
  return name === 'text' || name === 'image' ? 'shown' : 'content';
}

/** Counts of searches, and of tokens that the results of hosted tools took, in the usage of an answer. */
const COUNTS = [
  'server_tool_use',
  'num_search_queries',
  'num_sources_used',
  'num_server_side_tools_used',
  'server_side_tool_usage_details',
  'toolUsePromptTokenCount',
  'total_tool_use_tokens',
];

function isToolUsage(usage: unknown): boolean {
  if (!isObject(usage)) return false;
  for (const name of COUNTS) {
    const count = usage[name];
    const counts = isObject(count) ? Object.values(count) : [count];
    if (counts.some((each) => typeof each === 'number' && each > 0)) return true;
  }
  return false;
}

/** Fields in which chat servers list results: Perplexity, xAI and Zhipu beside the answer, Groq within it. */
const FOUND = ['citations', 'search_results', 'web_search', 'references'];
const RAN = ['executed_tools', 'search_results', 'citations'];

function messageRanTools(message: JsonObject): boolean {
  if (holdsSome(message, RAN)) return true;
  const { annotations, context } = message;
  // What Azure found in the documents of its customer.
  if (context !== undefined && listOf(objectOf(context).citations).length > 0) return true;
  return annotations !== undefined && objectsOf(annotations).some(isCitation);
}

/** Whether one of the fields is a non-empty list. */
function holdsSome(object: JsonObject, fields: readonly string[]): boolean {
  for (const field of fields) {
    const value = object[field];
    if (Array.isArray(value) && value.length > 0) return true;
  }
  return false;
}

function objectsOf(value: unknown): JsonObject[] {
  return listOf(value).filter(isObject);
}
