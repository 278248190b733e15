import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import { ProxyError } from '../../errors.ts';
import type { Part } from '../parts/part.ts';
import { listOf, objectOf, stringOf } from '../json.ts';
import { argumentsText } from '../json-written.ts';
import { partsWithSeals } from '../parts/message.ts';
import { nineOf } from '../quirks.ts';
import { named } from '../words.ts';

/** The maximum length of call ids. */
const MAX_CALL_ID = 64;

/**
 * Encodes a conversation as input items of the Responses API: leading system messages become the instructions.
 * @throws ProxyError `invalid_request` naming the invalid message, or `unsupported`
 */
export function encodeItems(
  messages: readonly ChatMessage[],
  memory: ReplayMemory,
): { instructions: string | undefined; input: JsonObject[] } {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  const split = first < 0 ? messages.length : first;
  const instructions = messages.slice(0, split).map(({ content }) => textOf(content));
  const input = messages.slice(split).flatMap((message, index) => {
    const at = `messages[${split + index}]`;
    switch (message.role) {
      case 'assistant':
        return assistantItems(message, memory, split + index);
      case 'tool':
      case 'function':
        return [toolItem(message, at)];
      case 'system':
      case 'developer':
      case 'user':
        return [{ type: 'message', role: message.role, content: contentOf(message.content, at) }];
      default:
        throw invalid(at, `role ${named(message.role)} is not known`);
    }
  });
  // A system message needs at least one other message.
  if (input.length === 0 && instructions.length > 0) {
    input.push({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: instructions.pop()! }],
    });
  }
  return { instructions: instructions.length > 0 ? instructions.join('\n\n') : undefined, input };
}

function textOf(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? stringOf(objectOf(part).refusal) ?? '')
    .join('');
}

function contentOf(content: ChatMessage['content'], at: string): string | JsonObject[] {
  if (typeof content === 'string') return content;
  const [only, ...others] = content ?? [];
  // A single text needs no part around it, and every server accepts a string.
  return only?.type === 'text' && others.length === 0 ? (only.text ?? '') : inputParts(content, at);
}

function inputParts(content: ChatMessage['content'], at: string): JsonObject[] {
  return (typeof content === 'string' ? [] : (content ?? [])).map((part, index) =>
    inputPart(part, `${at}.content[${index}]`),
  );
}

function inputPart(part: ContentPart, at: string): JsonObject {
  if (part?.type === 'text') return { type: 'input_text', text: part.text ?? '' };
  if (part?.type === 'image_url') {
    const image = typeof part.image_url === 'string' ? { url: part.image_url } : objectOf(part.image_url);
    const detail = stringOf(image.detail);
    return { type: 'input_image', image_url: image.url, detail: detail ?? 'auto' };
  }
  if (part?.type === 'file') return filePart(part);
  throw new ProxyError(
    'unsupported',
    `Cannot translate ${at}: parts of type ${named(part?.type)} are not accepted`,
    {
      param: at,
    },
  );
}

/** Chat has one field for the content and for the URL of a file. */
function filePart({ file, image }: ContentPart): JsonObject {
  const { file_data, file_id, filename } = objectOf(file);
  if (image === true && file_id !== undefined) return { type: 'input_image', file_id, detail: 'auto' };
  const remote = typeof file_data === 'string' && /^https?:\/\//.test(file_data);
  return {
    type: 'input_file',
    ...(file_id === undefined ? {} : { file_id }),
    ...(filename === undefined ? {} : { filename }),
    ...(file_data === undefined ? {} : { [remote ? 'file_url' : 'file_data']: file_data }),
  };
}

/**
 * Reasoning, text and calls, in order.
 * @param place the index of the message, from which reasoning without an id gets one
 */
function assistantItems(message: ChatMessage, memory: ReplayMemory, place: number): JsonObject[] {
  const items: JsonObject[] = [];
  let text = '';
  // As text: output parts would need the id of their item.
  const settle = () => {
    if (text !== '') items.push({ type: 'message', role: 'assistant', content: text });
    text = '';
  };
  partsWithSeals(message, memory).forEach((part, index) => {
    if (part.type === 'text' || part.type === 'refusal') text += part.text;
    const item = itemOf(part, `rs_${place}_${index}`);
    if (!item) return;
    settle();
    items.push(item);
  });
  settle();
  // Reasoning that is not followed by anything is rejected.
  const last = items.findLastIndex(({ type }) => type !== 'reasoning');
  return items.slice(0, last + 1);
}

/** @param id for reasoning without one */
function itemOf(part: Part, id: string): JsonObject | undefined {
  if (part.type === 'call') return callItem(part.call);
  if (part.type === 'hosted_call')
    return part.native?.protocol === 'responses' ? part.native.value : undefined;
  if (part.type !== 'thinking' || part.seal?.type !== 'encrypted') return undefined;
  const { id: own, summary, encrypted_content } = part.seal;
  return { type: 'reasoning', id: own ?? id, summary: listOf(summary), encrypted_content };
}

function callItem(call: ToolCall): JsonObject {
  const { name, arguments: given } = objectOf(call.function);
  return { type: 'function_call', call_id: callId(call.id), name, arguments: argumentsText(given) || '{}' };
}

/** An id in the accepted form, the same for a call and its result. */
function callId(id: string): string {
  return id?.length > MAX_CALL_ID ? `${id.slice(0, MAX_CALL_ID - 10)}_${nineOf(id)}` : id;
}

function toolItem({ tool_call_id: id, content }: ChatMessage, at: string): JsonObject {
  if (typeof id !== 'string' || id === '') throw invalid(at, 'tool_call_id is missing');
  const pictures = Array.isArray(content) && content.some(({ type }) => type !== 'text');
  const output = pictures ? inputParts(content, at) : textOf(content);
  return { type: 'function_call_output', call_id: callId(id), output };
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot translate ${param} for the Responses API: ${state}`, {
    param,
  });
}
