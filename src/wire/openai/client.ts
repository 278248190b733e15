import type { Events } from '../long-events.ts';
import { dataEvent, eventsAfter } from '../long-events.ts';
import type { ChatChunk, ChatDelta, ChatMessage, ChatRequest, ChatResponse, ContentPart } from '../chat.ts';
import type { ChunkNaming } from '../chunks.ts';
import type { JsonObject } from '../json.ts';
import type { ChatWriter, ClientProtocol, Understood } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import { chunkOf } from '../chunks.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { chatErrorEvent, openaiErrorBody } from './error.ts';
import { CustomCallStream, withCustomCalls, withFunctionsOnly } from './custom-tools.ts';
import type { CustomNames } from './custom-tools.ts';
import { PartList } from '../parts/part-list.ts';
import { Lost, lostComment } from '../parts/lost.ts';
import { readContent } from './answer-parts.ts';
import { ChatPieces, chatMessage } from './client-pieces.ts';
import { choiceMode, choiceName, isSingleChoice } from '../parts/tool-choice.ts';
import { isLegacy, legacyFinish, ignoredLegacyFields, withFunctionCall, withTools } from './legacy.ts';

/** OpenAI's chat for clients: the canonical form is theirs. */
export const chatClient: ClientProtocol = {
  decode(body) {
    checkMessages(body.messages);
    const given = withoutParts(body as unknown as ChatRequest);
    const { request: plain, custom } = withFunctionsOnly(withTools(withReasoning(given.request)));
    const { request, dropped } = withChatChoice(plain);
    const includeUsage = request.stream_options?.include_usage === true;
    const legacy = isLegacy(body);
    return {
      request,
      dropped: [...ignoredLegacyFields(body), ...given.dropped, ...dropped],
      encode: (answer, lost = new Lost()) => encodeAnswer(answer, { legacy, custom, lost }),
      stream: (_begun, lost = new Lost()) => new ChunkWriter({ includeUsage, legacy, custom, lost }),
    };
  },
  errorBody: openaiErrorBody,
};

interface Encoding {
  /** Whether calls are encoded as deprecated function calls. */
  readonly legacy: boolean;
  readonly custom: CustomNames;
  readonly lost: Lost;
}

function encodeAnswer(answer: ChatResponse, { legacy, custom, lost }: Encoding): JsonObject {
  const choices = answer.choices.map((choice) => {
    const fields = withCustomCalls(chatMessage(choice.message, lost), custom);
    const message: JsonObject = { annotations: [], ...fields };
    if (!legacy) return { ...choice, message };
    return {
      ...choice,
      message: withFunctionCall(message),
      finish_reason: legacyFinish(choice.finish_reason),
    };
  });
  return { ...answer, id: chatId(answer.id), choices };
}

/** Clients recognise chat answers by the prefix of their ids. The original id is kept after it. */
function chatId(id: string): string {
  return id.startsWith(CHAT_ID) ? id : CHAT_ID + id;
}

const CHAT_ID = 'chatcmpl-';

/**
 * Validates what every translation depends on; the rest is validated by each of them. @throws ProxyError
 * `invalid_request`
 */
function checkMessages(messages: unknown): void {
  listOf(messages).forEach((message, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) throw invalid(at, 'expected an object');
    const { content, tool_calls: calls } = message;
    if (content !== undefined && content !== null && typeof content !== 'string' && !Array.isArray(content)) {
      throw invalid(`${at}.content`, 'expected a text or a list of parts');
    }
    if (calls === undefined || calls === null) return;
    if (!Array.isArray(calls) || !calls.every(isObject)) {
      throw invalid(`${at}.tool_calls`, 'expected a list of calls');
    }
    // An id is looked up as text, and an object may not even convert to text.
    const unnamed = calls.findIndex(({ id }) => typeof id === 'object' && id !== null);
    if (unnamed >= 0) throw invalid(`${at}.tool_calls[${unnamed}].id`, 'expected a text');
    const odd = calls.findIndex((call) => !isObject(call.function) && !isObject(call.custom));
    if (odd < 0) return;
    const param = `${at}.tool_calls[${odd}]`;
    throw new ProxyError(
      'unsupported',
      `Cannot translate ${param}: only calls of functions and custom tools can be`,
      {
        param,
      },
    );
  });
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}

/**
 * Chat has no ordered parts: they belong to the canonical form, and a client's would not be validated. Some user
 * interfaces have a field of this name beside the content.
 */
function withoutParts(request: ChatRequest): { request: ChatRequest; dropped: string[] } {
  const { messages } = request;
  if (!Array.isArray(messages) || !messages.some((message) => 'parts' in message))
    return { request, dropped: [] };
  const plain = messages.map(({ parts: _parts, ...message }): ChatMessage => message);
  return { request: { ...request, messages: plain }, dropped: ['messages.parts'] };
}

/** The request with its choice of a tool in chat's words; one that cannot be understood is left out. */
function withChatChoice(request: ChatRequest): { request: ChatRequest; dropped: string[] } {
  const { tool_choice: choice, ...rest } = request;
  if (choice === undefined || choice === null) return { request, dropped: [] };
  const single = isSingleChoice(choice) ? { parallel_tool_calls: false, ...rest } : rest;
  const mode = choiceMode(choice);
  if (mode !== undefined) return { request: { ...single, tool_choice: mode }, dropped: [] };
  if ((objectOf(choice).type as unknown) === 'allowed_tools') return { request, dropped: [] };
  const declared = listOf(request.tools).some((tool) => choiceName(objectOf(tool)) === (choice as unknown));
  const name = declared ? String(choice) : choiceName(objectOf(choice));
  if (name === undefined) return { request: single, dropped: ['tool_choice'] };
  return { request: { ...single, tool_choice: { type: 'function', function: { name } } }, dropped: [] };
}

/** Some clients send reasoning back as parts of the content: Mistral's as texts, others as Anthropic's signed blocks. */
function withReasoning(request: ChatRequest): ChatRequest {
  const { messages } = request;
  const odd =
    Array.isArray(messages) &&
    messages.some(({ role, content }) => role === 'assistant' && listOf(content).some(isThought));
  return odd ? { ...request, messages: messages.map(withoutThoughts) } : request;
}

const THOUGHTS: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function isThought(part: unknown): boolean {
  return isObject(part) && THOUGHTS.has(part.type);
}

function isSealed({ type, signature }: JsonObject): boolean {
  return type === 'redacted_thinking' || typeof signature === 'string';
}

function withoutThoughts(message: ChatMessage): ChatMessage {
  const parts = listOf(message.content);
  if (message.role !== 'assistant' || !parts.some(isThought)) return message;
  const sealed = parts.filter((part) => isThought(part) && isSealed(objectOf(part)));
  const words = reasoningIn(parts);
  return {
    ...message,
    content: parts.filter((part) => !isThought(part)) as ContentPart[],
    reasoning_content: message.reasoning_content ?? words,
    ...(sealed.length > 0 && message.thinking_blocks === undefined ? { thinking_blocks: sealed } : {}),
  };
}

function reasoningIn(content: unknown): string {
  const list = new PartList();
  readContent(content, list);
  return list.parts.map((part) => (part.type === 'thinking' ? part.text : '')).join('');
}

/** Encodes chunks for a chat client whose relayed stream is continued by another provider. */
export function relayedChat(body: JsonObject): Pick<Understood, 'request' | 'stream'> {
  const { request, custom } = withFunctionsOnly(body as unknown as ChatRequest);
  return {
    request,
    stream() {
      const calls = new CustomCallStream(custom);
      return { push: (chunk) => [dataEvent(calls.chunk(chunk))], end: () => DONE, fail: chatErrorEvent };
    },
  };
}

const DONE = 'data: [DONE]\n\n';

interface WriterOptions extends Encoding {
  readonly includeUsage: boolean;
}

/** Each chunk is an event. The one with the usage is sent to clients that requested it. */
class ChunkWriter implements ChatWriter {
  readonly #includeUsage: boolean;
  readonly #legacy: boolean;
  readonly #lost: Lost;
  readonly #pieces: ChatPieces;
  readonly #custom: CustomCallStream;
  #naming: ChunkNaming | undefined;
  #called = false;
  #finished = false;

  constructor({ includeUsage, legacy, custom, lost }: WriterOptions) {
    this.#includeUsage = includeUsage;
    this.#legacy = legacy;
    this.#lost = lost;
    this.#pieces = new ChatPieces(lost);
    this.#custom = new CustomCallStream(custom);
  }

  push(chunk: ChatChunk): Events {
    const { usage, ...fields } = chunk;
    const id = chatId(chunk.id);
    const rest = { ...fields, id, choices: fields.choices.map((choice) => this.#encoded(choice)) };
    this.#naming ??= { ...chunk, id };
    for (const { delta, finish_reason } of chunk.choices) {
      this.#called ||= objectOf(delta).tool_calls !== undefined;
      this.#finished ||= finish_reason !== null;
    }
    // Without a finish reason from the provider the client gets one nevertheless, before the usage.
    const before = chunk.choices.length === 0 ? this.#finish() : '';
    if (!this.#includeUsage) return chunk.choices.length === 0 ? before : [dataEvent(rest)];
    return eventsAfter(before, [dataEvent({ ...rest, usage: usage ?? null })]);
  }

  end(): Events {
    return eventsAfter(this.#finish(), lostComment(this.#lost) + DONE);
  }

  #encoded(choice: ChatChunk['choices'][number]): ChatChunk['choices'][number] {
    const delta = this.#pieces.tell(choice.delta);
    const encoded = this.#custom.delta(choice.index, delta, choice.finish_reason !== null);
    if (!this.#legacy) return encoded === choice.delta ? choice : { ...choice, delta: encoded };
    return { ...choice, delta: withFunctionCall(encoded), finish_reason: legacyFinish(choice.finish_reason) };
  }

  fail(error: ProxyError, requestId: string): string {
    return chatErrorEvent(error, requestId);
  }

  #finish(): Events {
    if (this.#finished || !this.#naming) return '';
    this.#finished = true;
    const inputs = this.#custom.end(0);
    const rest = inputs.length > 0 ? { tool_calls: inputs } : {};
    const last = chunkOf(this.#naming, rest as ChatDelta, { finish: this.#called ? 'tool_calls' : 'stop' });
    return [dataEvent(this.#includeUsage ? { ...last, usage: null } : last)];
  }
}
