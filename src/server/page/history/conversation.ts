/** The conversation of a record as readable text, in any protocol. */
import type { RequestDetail, ShownMessage, ShownPart } from '../../../web/api.ts';
import type { ChatMessage } from '../../../wire/chat.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { Part } from '../../../wire/parts/part.ts';
import { ProxyError } from '../../../errors.ts';
import type { Foreign } from '../../../export/read/translated.ts';
import { DECODERS, isForeign } from '../../../export/read/translated.ts';
import { clientOf } from '../../../wire/clients.ts';
import { isObject, listOf, objectOf, stringOf } from '../../../wire/json.ts';
import { partsOf } from '../../../wire/parts/message.ts';
import { NO_MEMORY } from '../../../wire/protocol.ts';
import { bounded } from './bounded.ts';

type Conversation = Pick<RequestDetail, 'said' | 'unsaid' | 'tools'>;

/** The request and the answer. */
export function conversationIn(record: JsonObject): Conversation {
  const { request, response, endpoint } = record;
  const nothing = (unsaid: string): Conversation => ({ said: null, unsaid, tools: [] });
  if (request === undefined && response === undefined) return nothing(whyNot(record));
  if (!isTalk(endpoint)) return nothing('This is not a conversation: see the raw bodies below.');
  try {
    const requested = isObject(request) ? requestIn(endpoint, request) : { messages: [], tools: [] };
    const answered = isObject(response) ? answeredIn(endpoint, response) : [];
    return {
      said: bounded([...requested.messages, ...answered].map(shownMessage)),
      unsaid: null,
      tools: requested.tools,
    };
  } catch (error) {
    if (error instanceof ProxyError || error instanceof TypeError)
      return nothing('The bodies cannot be read as a conversation: see them below.');
    throw error;
  }
}

function whyNot({ content, omitted }: JsonObject): string {
  if (content === 'expired') return 'The content is no longer in the log (logging.requests.retention).';
  if (Array.isArray(omitted)) return 'The content was too long to be logged, or not text.';
  if (content === 'full') return 'There is no content: the request was refused before it was read.';
  return `The content is not logged (content: ${String(content)}).`;
}

type Talk = 'chat' | 'completions' | Foreign;

function isTalk(endpoint: unknown): endpoint is Talk {
  return (
    endpoint === 'chat' || endpoint === 'completions' || (typeof endpoint === 'string' && isForeign(endpoint))
  );
}

/** Missing ids are replaced deterministically; their values do not matter here. */
const CONTEXT = { created: 0, model: '', memory: NO_MEMORY, newId: () => '' };
const DECODE_CONTEXT = { ...CONTEXT, requested: { model: '', stream: false } };

interface ReadRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly string[];
}

function requestIn(endpoint: Talk, request: JsonObject): ReadRequest {
  if (endpoint === 'completions') {
    const prompts = typeof request.prompt === 'string' ? [request.prompt] : listOf(request.prompt);
    return {
      messages: prompts.map((prompt) => ({
        role: 'user',
        content: typeof prompt === 'string' ? prompt : JSON.stringify(prompt),
      })),
      tools: [],
    };
  }
  const isChat = endpoint === 'chat';
  const chat = isChat ? request : clientOf(endpoint).decode(request, DECODE_CONTEXT).request;
  const messages = listOf(chat.messages).filter(isObject) as ChatMessage[];
  return {
    messages: isChat ? messages.map(withoutParts) : messages,
    tools: listOf(chat.tools).map(
      (tool) => stringOf(objectOf(objectOf(tool).function).name) ?? stringOf(objectOf(tool).type) ?? '?',
    ),
  };
}

function answeredIn(endpoint: Talk, response: JsonObject): ChatMessage[] {
  const choices = isForeign(endpoint)
    ? DECODERS[endpoint](response, CONTEXT).choices
    : listOf(response.choices);
  return choices.map((choice) => {
    const { message, text } = objectOf(choice);
    if (!isObject(message)) return { role: 'assistant', content: stringOf(text) ?? '' };
    return isForeign(endpoint) ? (message as ChatMessage) : withoutParts(message as ChatMessage);
  });
}

/** Chat has no ordered parts: a client's field of this name may have any shape. */
function withoutParts({ parts: _parts, ...message }: ChatMessage): ChatMessage {
  return message;
}

function shownMessage(message: ChatMessage): ShownMessage {
  const { role } = message;
  if (role === 'assistant') return { role, parts: partsOf(message).map(partOf) };
  const parts = contentOf(message.content);
  if (role !== 'tool' && role !== 'function') return { role, parts };
  const id = stringOf(message.tool_call_id) ?? stringOf(message.name) ?? '';
  return {
    role: 'tool',
    parts: parts.map((part) => (part.kind === 'text' ? { kind: 'result', id, text: part.text } : part)),
  };
}

function contentOf(content: ChatMessage['content']): ShownPart[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return listOf(content).map((part) => {
    const { type, text, image_url: image } = objectOf(part);
    if (type === 'text' && typeof text === 'string') return { kind: 'text', text };
    const url = stringOf(image) ?? stringOf(objectOf(image).url);
    if (url !== undefined) return { kind: 'image', url };
    return { kind: 'other', name: String(type), text: JSON.stringify(part) };
  });
}

function partOf(part: Part): ShownPart {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { kind: part.type, text: part.text };
    case 'thinking':
      return { kind: 'thinking', text: part.text === '' ? '(not shown by the provider)' : part.text };
    case 'call':
      return {
        kind: 'call',
        name: part.call.function.name,
        id: part.call.id,
        text: part.call.function.arguments,
      };
    case 'hosted_call':
      return { kind: 'call', name: part.name, id: part.id, text: part.input };
    case 'hosted_result':
      return {
        kind: 'result',
        id: part.id,
        text: part.output ?? part.sources.map(({ url, title }) => `${title}\n${url}`).join('\n'),
      };
    case 'image':
      return { kind: 'image', url: part.url };
    case 'audio':
      return { kind: 'other', name: 'audio', text: part.transcript };
    case 'file':
      return { kind: 'other', name: 'file', text: part.id ?? 'a file' };
  }
}
