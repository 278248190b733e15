/** Converts messages of requests and answers to the canonical conversation. */
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Message, Part, PlainMessage, ToolCall } from './conversation.ts';
import { detailsText } from '../../wire/openai/reasoning-details.ts';
import { RejectError } from '../errors.ts';
import { wellFormedJson } from './json.ts';
import { legacyCall, toolCallsOf } from './tools.ts';

/** Which contents of messages are exported. */
export interface ContentOptions {
  /** How a refusal is exported: not at all, as ordinary content, or in its own field for formats that have one. */
  readonly refusals: 'exclude' | 'content' | 'keep';
  /** `drop` replaces images by placeholders, `url-only` only those that are embedded as data. */
  readonly images: 'keep' | 'drop' | 'url-only';
  /** How exchanges with hosted tools are exported, whose results are in no message. */
  readonly providerTools: 'exclude' | 'keep';
  /** Whether the text parts of a message stay apart until they are searched for what must be hidden. */
  readonly partsApart?: boolean;
}

/**
 * The messages of a request.
 * @param messages `request.messages`, read leniently
 * @throws RejectError when they are not a valid conversation
 */
export function promptOf(messages: unknown, options: ContentOptions): Message[] {
  if (!Array.isArray(messages) || messages.length === 0) throw new RejectError('no_messages');
  const open = new OpenCalls();
  const prompt = messages.flatMap((message: unknown, index) => {
    if (!isObject(message)) throw new RejectError('no_messages');
    const shownBefore = isResult(message) ? [] : open.shown();
    return [...shownBefore, ...(promptMessage(message, index, open, options) ?? [])];
  });
  open.mustBeAnswered();
  prompt.push(...open.shown());
  if (prompt.length === 0) throw new RejectError('empty_message');
  return prompt;
}

/**
 * The answer of the model.
 * @throws RejectError when it is a refusal or empty
 */
export function answerOf(
  message: JsonObject,
  { refusals, partsApart }: Pick<ContentOptions, 'refusals' | 'partsApart'>,
): AssistantMessage {
  const answer = assistantMessage(message, 'answer', { images: 'keep', partsApart });
  if (answer.refusal !== undefined) {
    if (refusals === 'exclude') throw new RejectError('refusal');
    return refusals === 'keep' ? answer : refusalAsContent(answer);
  }
  if (saysNothing(answer)) throw new RejectError('no_answer');
  return answer;
}

/** Whether an assistant message has audio, or a file that the model created. */
function holdsFiles({ audio, parts }: JsonObject): boolean {
  return isObject(audio) || listOf(parts).some((part) => isObject(part) && part.type === 'file');
}

/** An earlier refusal is a text like any other: shown to the model, and trained only if the log has it as an answer. */
function refusalAsContent({ refusal, ...message }: AssistantMessage): AssistantMessage {
  if (refusal === undefined) return message;
  const { content, parts } = message;
  const all = [...(parts ?? [content]), refusal].filter(Boolean);
  return { ...message, content: all.join('\n'), ...(parts ? { parts: all } : {}) };
}

function saysNothing({ tool_calls: calls, content, refusal }: AssistantMessage): boolean {
  return !calls && isBlank(content) && refusal === undefined;
}

function isResult({ role }: JsonObject): boolean {
  return role === 'tool' || role === 'function';
}

/** @returns `undefined` for an empty system prompt, which some programs send if none is set */
function promptMessage(
  message: JsonObject,
  index: number,
  open: OpenCalls,
  { images, partsApart }: ContentOptions,
): [Message] | undefined {
  const { role } = message;
  if (isResult(message)) return [toolMessage(message, open, { images, partsApart })];
  // OpenAI and chat templates require results directly after the calls.
  open.mustBeAnswered();
  if (role === 'assistant') {
    const assistant = refusalAsContent(assistantMessage(message, String(index), { images, partsApart }));
    if (saysNothing(assistant)) throw new RejectError('empty_message');
    for (const call of assistant.tool_calls ?? []) open.add(call);
    return [assistant];
  }
  // Trainers do not know the role "developer"; most chat templates silently skip unknown roles.
  if (role === 'system' || role === 'developer')
    return partsOf(message.content).every(isBlankText)
      ? undefined
      : [plainMessage(message, 'system', { images, partsApart })];
  if (role === 'user') return [plainMessage(message, 'user', { images, partsApart })];
  throw new RejectError('unknown_role');
}

function plainMessage(
  message: JsonObject,
  role: PlainMessage['role'],
  { images: keep, partsApart }: Pick<ContentOptions, 'images' | 'partsApart'>,
): PlainMessage {
  const parts = partsOf(message.content).map((part) => shown(part, keep));
  const images = parts.some((part) => part.type === 'image_url');
  if (images && role === 'system') throw new RejectError('unsupported_content');
  const text = images ? undefined : joined(parts);
  if (text !== undefined && isBlank(text)) throw new RejectError('empty_message');
  const content = text === undefined || (partsApart && parts.length > 1) ? parts : text;
  return { role, content, ...nameOf(message) };
}

/** A placeholder for an omitted image, so that the text about it keeps its reference. */
const PLACEHOLDER = '[image]';

/** A part in exported form. */
function shown(part: Part, keep: ContentOptions['images']): Part {
  if (part.type !== 'image_url' || keep === 'keep') return part;
  const kept = keep === 'url-only' && !/^data:/i.test(part.image_url.url);
  return kept ? part : { type: 'text', text: PLACEHOLDER };
}

/** Which images have no placeholder, and whether parts stay apart. */
type PartOptions = Pick<ContentOptions, 'images' | 'partsApart'>;

/**
 * @param place a unique position, from which calls without an id get one
 * @param options in a row, only users can show images
 * @throws RejectError if it has such an image, or a file: a text about it would be trained without it
 */
function assistantMessage(
  message: JsonObject,
  place: string,
  { images: keep, partsApart }: PartOptions,
): AssistantMessage {
  if (holdsFiles(message)) throw new RejectError('unsupported_content');
  const refusals = listOf(message.content).filter(isRefusal);
  const parts = Array.isArray(message.content)
    ? message.content.filter((part: unknown) => !isRefusal(part) && !isThinking(part))
    : // Cloudflare returns a requested JSON object as an object.
      isObject(message.content)
      ? JSON.stringify(message.content)
      : message.content;
  const refusal = stringOf(message.refusal) || refusals.map((part) => part.refusal).join('\n');
  const images = listOf(message.images).map((image) => ({ ...objectOf(image), type: 'image_url' }));
  const texts = textsOf([...partsOf(parts), ...partsOf(images)].map((part) => shown(part, keep)));
  const answerText = texts.join('\n');
  const named = reasoningOf(message);
  const { content, reasoning } =
    named === undefined ? thoughtApart(answerText) : { content: answerText, reasoning: named };
  const calls = isObject(message.function_call)
    ? [legacyCall(message.function_call, place)]
    : toolCallsOf(listOf(message.tool_calls));
  return {
    role: 'assistant',
    // Models often write a line break before their calls; loaders refuse text that is only white space.
    content: isBlank(content) ? '' : content,
    ...(partsApart && !isBlank(content) ? partsIn(texts, answerText.length - content.length) : {}),
    ...nameOf(message),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(isBlank(refusal) ? {} : { refusal }),
  };
}

function isRefusal(part: unknown): part is { type: 'refusal'; refusal: string } {
  return isObject(part) && part.type === 'refusal' && typeof part.refusal === 'string';
}

/** Fields with reasoning: DeepSeek's, vLLM's and most hosts'; OpenRouter's and Together's; gpt-oss's. */
const REASONING_FIELDS = ['reasoning_content', 'reasoning', 'thinking'];

function reasoningOf(message: JsonObject): string | undefined {
  for (const field of REASONING_FIELDS) {
    const text = message[field];
    if (typeof text === 'string' && !isBlank(text)) return text;
  }
  const { reasoning_details: details, thinking_blocks: blocks, content } = message;
  const texts = [
    detailsText(listOf(details).filter(isObject)),
    ...[blocks, content].map((list) => listOf(list).filter(isThinking).map(thinkingText).join('')),
  ];
  return texts.find((text) => !isBlank(text));
}

/** Reasoning among the parts of a message, as Mistral's models and gateways to Claude have it. */
function isThinking(part: unknown): part is JsonObject {
  return isObject(part) && (part.type === 'thinking' || part.type === 'redacted_thinking');
}

function thinkingText({ thinking }: JsonObject): string {
  if (typeof thinking === 'string') return thinking;
  return listOf(thinking)
    .map((part) => (isObject(part) ? (stringOf(part.text) ?? '') : ''))
    .join('');
}

/** Reasoning at the beginning of a text, as servers without a reasoning parser leave it there. */
const THOUGHT = /^\s*<think>([^]*?)(?:<\/think>\s*|$)/;
/** The end of reasoning, on a line of its own. */
const END_OF_THOUGHT = /^[ \t]*<\/think>[ \t\r]*$\s*/m;

/** The reasoning and the text after it, verbatim except for surrounding white space. */
function thoughtApart(text: string): { readonly content: string; readonly reasoning?: string } {
  if (!text.includes('think>')) return { content: text };
  const [end, thought] = text.includes('<think>') ? begunThought(text) : openedThought(text);
  const reasoning = thought.trim();
  return { content: text.slice(end), ...(reasoning === '' ? {} : { reasoning }) };
}

/** If the end tag is missing, the model was still thinking. */
function begunThought(text: string): readonly [end: number, thought: string] {
  const [whole, thought] = THOUGHT.exec(text) ?? [];
  return whole === undefined ? [0, ''] : [whole.length, thought!];
}

/** Some models' templates put the start tag into the prompt, so that the text only has the end tag. */
function openedThought(text: string): readonly [end: number, thought: string] {
  const match = END_OF_THOUGHT.exec(text);
  return match === null ? [0, ''] : [match.index + match[0].length, text.slice(0, match.index)];
}

function toolMessage(
  message: JsonObject,
  open: OpenCalls,
  { images: keep, partsApart }: PartOptions,
): Message {
  // The result of a deprecated function names no call: it answers the open one of that function.
  const id = message.role === 'function' ? open.only(stringOf(message.name)) : stringOf(message.tool_call_id);
  if (id === undefined) throw new RejectError('orphan_tool_result');
  open.answer(id);
  const parts = partsOf(message.content).map((part) => shown(part, keep));
  open.show(parts.filter((part) => part.type === 'image_url'));
  const texts = textsOf(parts.map((part) => shown(part, 'drop')));
  return {
    role: 'tool',
    tool_call_id: id,
    ...nameOf(message),
    content: wellFormedJson(texts.join('\n')),
    ...(partsApart ? partsIn(texts, 0) : {}),
  };
}

/** The parts of a content, if there are several. @param from where it begins in the joined texts */
function partsIn(texts: readonly string[], from: number): { parts?: readonly string[] } {
  let at = 0;
  const parts = texts.flatMap((text) => {
    const begin = at;
    at += text.length + 1;
    return at <= from ? [] : [text.slice(Math.max(0, from - begin))];
  });
  return parts.length > 1 ? { parts } : {};
}

/** The text and images of a message; a string is one text, `null` is none. */
function partsOf(content: unknown): Part[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RejectError('unsupported_content');
  return content.map(partOf).filter((part) => part.type !== 'text' || part.text !== '');
}

function partOf(part: unknown): Part {
  if (typeof part === 'string') return { type: 'text', text: part };
  if (!isObject(part)) throw new RejectError('unsupported_content');
  if (part.type === 'text' && typeof part.text === 'string') return { type: 'text', text: part.text };
  const image = typeof part.image_url === 'string' ? { url: part.image_url } : part.image_url;
  if (part.type !== 'image_url' || !isObject(image) || typeof image.url !== 'string') {
    throw new RejectError('unsupported_content');
  }
  const detail = stringOf(image.detail);
  return { type: 'image_url', image_url: { url: image.url, ...(detail === undefined ? {} : { detail }) } };
}

/** Text parts as one string, one per line, as servers of open models join them. */
function joined(parts: readonly Part[]): string {
  return textsOf(parts).join('\n');
}

function textsOf(parts: readonly Part[]): string[] {
  return parts.map((part) => {
    if (part.type !== 'text') throw new RejectError('unsupported_content');
    return part.text;
  });
}

function isBlankText(part: Part): boolean {
  return part.type === 'text' && isBlank(part.text);
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function nameOf(message: JsonObject): { name?: string } {
  return typeof message.name === 'string' && message.name !== '' ? { name: message.name } : {};
}

/** The tool calls of the last assistant message that have no results yet, and what their results show. */
class OpenCalls {
  /** The names of their functions, by id. */
  readonly #names = new Map<string, string>();
  #images: Part[] = [];

  add(call: ToolCall): void {
    this.#names.set(call.id, call.function.name);
  }

  /** The id of the only open call, if it is of this function, or the function is not known. */
  only(name: string | undefined): string | undefined {
    const [first, ...others] = this.#names;
    if (first === undefined || others.length > 0) return undefined;
    return name === undefined || name === first[1] ? first[0] : undefined;
  }

  answer(id: string): void {
    if (!this.#names.delete(id)) throw new RejectError('orphan_tool_result');
  }

  show(images: readonly Part[]): void {
    this.#images.push(...images);
  }

  /** A message with the images of the results, which no format allows within them; none if there are no images. */
  shown(): Message[] {
    const images = this.#images;
    this.#images = [];
    return images.length > 0 ? [{ role: 'user', content: images }] : [];
  }

  mustBeAnswered(): void {
    if (this.#names.size > 0) throw new RejectError('unanswered_tool_call');
  }
}
