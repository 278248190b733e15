import type { ChatMessage, ContentPart, ToolCall } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { ToolBox } from './tools.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { reasoningText } from './response.ts';
import { unseal } from './sealed.ts';
import { shownName } from './tools.ts';
import { named, wordOf } from '../words.ts';

/** What a result says that is no text: a tool message of chat takes text alone. */
const ATTACHED = 'The result is attached to the next message.';

/** An assistant message that items are still added to. */
interface Turn extends ChatMessage {
  role: 'assistant';
  tool_calls?: ToolCall[];
  thinking_blocks?: JsonObject[];
}

/**
 * Input items as messages. What a model said, thought and called in one turn is one message; the results follow it.
 * @throws ProxyError `invalid_request` naming the item at fault
 */
export function decodeItems(
  input: unknown,
  box: ToolBox,
  memory: ReplayMemory,
): { messages: ChatMessage[]; dropped: string[] } {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }], dropped: [] };
  if (!Array.isArray(input)) throw invalid('input', 'expected a text or a list of items');
  const conversation = new Conversation(box, memory);
  input.forEach((item, index) => conversation.add(item, `input[${index}]`));
  conversation.end();
  return conversation;
}

class Conversation {
  readonly messages: ChatMessage[] = [];
  readonly dropped: string[] = [];
  readonly #box: ToolBox;
  readonly #memory: ReplayMemory;
  /** Pictures and files in results of tools. */
  #moved: ContentPart[] = [];

  constructor(box: ToolBox, memory: ReplayMemory) {
    this.#box = box;
    this.#memory = memory;
  }

  add(item: unknown, at: string): void {
    if (!isObject(item)) throw invalid(at, 'expected an object');
    if (!stringOf(item.type)?.endsWith('_output')) this.end();
    switch (item.type ?? 'message') {
      case 'message':
        return this.#message(item, at);
      case 'function_call':
      case 'custom_tool_call':
        return this.#call(item, at);
      case 'function_call_output':
      case 'custom_tool_call_output':
        return this.#output(item, at);
      case 'reasoning':
        return this.#reasoning(item);
      case 'item_reference':
        return this.#referred(item, at);
      default:
        this.dropped.push(`${at} (${wordOf(item.type)})`);
    }
  }

  /** An item of an earlier answer, named instead of sent. */
  #referred({ id }: JsonObject, at: string): void {
    const item = this.#memory.get(stringOf(id) ?? '');
    if (!item || item.type === 'item_reference') {
      throw invalid(at, `the item ${named(id)} is not known here any more: send the item itself`);
    }
    this.add(item, at);
  }

  /** What results hold beside text follows the last of them: nothing may stand between results. */
  end(): void {
    if (this.#moved.length > 0) this.messages.push({ role: 'user', content: this.#moved });
    this.#moved = [];
  }

  #message(item: JsonObject, at: string): void {
    const { role } = item;
    if (role === 'assistant') return this.#said(item);
    if (role !== 'user' && role !== 'system' && role !== 'developer') {
      throw invalid(`${at}.role`, `role ${named(role)} is not known`);
    }
    this.messages.push({ role, content: contentOf(item.content, `${at}.content`) });
  }

  #said({ content }: JsonObject): void {
    const turn = this.#turn();
    let refusal = '';
    let text = typeof content === 'string' ? content : '';
    for (const part of listOf(content)) {
      text += stringOf(objectOf(part).text) ?? '';
      refusal += stringOf(objectOf(part).refusal) ?? '';
    }
    turn.content = ((turn.content as string | null) ?? '') + text;
    if (refusal !== '') turn.refusal = refusal;
  }

  #call(item: JsonObject, at: string): void {
    const id = stringOf(item.call_id);
    if (!id) throw invalid(`${at}.call_id`, 'it is missing');
    const custom = item.type === 'custom_tool_call';
    const text = custom ? JSON.stringify({ input: item.input ?? '' }) : (stringOf(item.arguments) ?? '');
    const turn = this.#turn();
    const fn = { name: shownName(this.#box, item), arguments: text || '{}' };
    (turn.tool_calls ??= []).push({ id, type: 'function', function: fn });
  }

  #output({ call_id: id, output }: JsonObject, at: string): void {
    if (typeof id !== 'string' || id === '') throw invalid(`${at}.call_id`, 'it is missing');
    const parts = Array.isArray(output) ? partsOf(output, `${at}.output`) : undefined;
    const text = parts ? parts.map((part) => part.text ?? '').join('') : textOf(output);
    const others = parts?.filter(({ type }) => type !== 'text') ?? [];
    this.#moved.push(...others);
    const content = text === '' && others.length > 0 ? ATTACHED : text;
    this.messages.push({ role: 'tool', tool_call_id: id, content });
  }

  #reasoning(item: JsonObject): void {
    const block = unseal(item);
    const text = reasoningText(item);
    if (!block && text === '') return;
    const turn = this.#turn();
    if (text !== '')
      turn.reasoning_content = turn.reasoning_content ? `${turn.reasoning_content}\n\n${text}` : text;
    if (block) (turn.thinking_blocks ??= []).push(block);
  }

  /** The assistant's message in progress: it ends where somebody else speaks. */
  #turn(): Turn {
    const last = this.messages.at(-1);
    if (last?.role === 'assistant') return last as Turn;
    const turn: Turn = { role: 'assistant', content: null };
    this.messages.push(turn);
    return turn;
  }
}

function textOf(output: unknown): string {
  if (typeof output === 'string') return output;
  return output === undefined || output === null ? '' : JSON.stringify(output);
}

function contentOf(content: unknown, at: string): string | ContentPart[] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(at, 'expected a text or a list of parts');
  const parts = partsOf(content, at);
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? (only.text ?? '') : parts;
}

function partsOf(content: readonly unknown[], at: string): ContentPart[] {
  return content.map((part, index) => decodePart(part, `${at}[${index}]`));
}

function decodePart(part: unknown, at: string): ContentPart {
  const { type, text, image_url: url, detail, file_id, file_data, file_url, filename } = objectOf(part);
  if (type === 'input_text' || type === 'output_text' || type === 'text') {
    return { type: 'text', text: stringOf(text) ?? '' };
  }
  if (type === 'input_image' && typeof url === 'string') {
    return { type: 'image_url', image_url: { url, ...(typeof detail === 'string' ? { detail } : {}) } };
  }
  if (type === 'input_file') {
    const given = { file_id, file_data: file_data ?? file_url, filename };
    const file = Object.entries(given).filter(([, value]) => typeof value === 'string');
    return { type: 'file', file: Object.fromEntries(file) };
  }
  throw invalid(at, `parts of type ${named(type)} cannot be translated`);
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}
