import type { ChatMessage, ContentPart } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { ToolBox } from './tools.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { messageOf } from '../parts/message.ts';
import { freeTextArguments } from '../parts/free-text.ts';
import { PartList } from '../parts/part-list.ts';
import { decodeCitation } from './citations.ts';
import { decodeHosted } from './hosted.ts';
import { beginMessage } from './paragraphs.ts';
import { agentMessage } from './agents.ts';
import { ownCall, ownOutput } from './own-calls.ts';
import { reasoningText } from './response.ts';
import { summaryOf, summaryText } from './compaction.ts';
import { unseal } from './sealed.ts';
import { shownName } from './tools.ts';
import { named, wordOf } from '../words.ts';

/**
 * Decodes input items to messages. What a model said, thought and called in one turn is one message; the results follow
 * it.
 * @throws ProxyError `invalid_request` naming the invalid item
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
  /** The current assistant message: it ends where another role begins. */
  #turn: PartList | undefined;

  constructor(box: ToolBox, memory: ReplayMemory) {
    this.#box = box;
    this.#memory = memory;
  }

  add(item: unknown, at: string): void {
    if (!isObject(item)) throw invalid(at, 'expected an object');
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
      case 'agent_message':
        return this.#agentMessage(item, at);
      case 'compaction':
        return this.#compaction(item, at);
      case 'item_reference':
        return this.#referred(item, at);
      case 'additional_tools':
        // They are decoded with the tools.
        return undefined;
      default:
        return this.#hosted(item, at);
    }
  }

  /** What another agent says to this one. */
  #agentMessage(item: JsonObject, at: string): void {
    const { parts, unread } = agentMessage(item);
    this.dropped.push(...unread.map((place) => `${at}.content[${place}] (encrypted_content)`));
    if (parts.length > 0) this.#hear({ role: 'user', content: simplest(partsOf(parts, `${at}.content`)) });
    else if (unread.length === 0) this.dropped.push(`${at} (agent_message)`);
  }

  /** A compacted conversation; only its issuer can read the encrypted part. */
  #compaction(item: JsonObject, at: string): void {
    const summary = summaryOf(item);
    if (summary === undefined) this.dropped.push(`${at} (compaction)`);
    else this.#hear({ role: 'user', content: summaryText(summary) });
  }

  /** A call of a hosted tool in an earlier turn. */
  #hosted(item: JsonObject, at: string): void {
    const call = ownCall(item);
    if (call) return this.#partList.call(call);
    const came = ownOutput(item, (tool) => shownName(this.#box, tool));
    if (came) return this.#hear({ role: 'tool', tool_call_id: came.id, content: came.content });
    const parts = decodeHosted(item);
    if (parts.length === 0) this.dropped.push(`${at} (${wordOf(item.type)})`);
    for (const part of parts) this.#partList.add(part);
  }

  /** A reference to an item of an earlier answer. */
  #referred({ id }: JsonObject, at: string): void {
    const item = this.#memory.get(stringOf(id) ?? '');
    if (!item || item.type === 'item_reference') {
      throw invalid(at, `the item ${named(id)} is not known here any more: send the item itself`);
    }
    this.add(item, at);
  }

  /** Ends the current turn. */
  end(): void {
    if (this.#turn) this.messages.push(messageOf(this.#turn.parts));
    this.#turn = undefined;
  }

  #hear(message: ChatMessage): void {
    this.end();
    this.messages.push(message);
  }

  get #partList(): PartList {
    return (this.#turn ??= new PartList());
  }

  #message(item: JsonObject, at: string): void {
    const { role } = item;
    if (role === 'assistant') return this.#answer(item);
    if (role !== 'user' && role !== 'system' && role !== 'developer') {
      throw invalid(`${at}.role`, `role ${named(role)} is not known`);
    }
    this.#hear({ role, content: contentOf(item.content, `${at}.content`) });
  }

  #answer({ content }: JsonObject): void {
    const list = this.#partList;
    beginMessage(list, content);
    if (typeof content === 'string') return list.text(content);
    for (const part of listOf(content)) {
      const { text, refusal, annotations } = objectOf(part);
      const before = list.length;
      list.text(stringOf(text) ?? '');
      list.annotate(listOf(annotations).flatMap((note) => decodeCitation(note, before)));
      list.refusal(stringOf(refusal) ?? '');
    }
  }

  #call(item: JsonObject, at: string): void {
    const id = stringOf(item.call_id);
    if (!id) throw invalid(`${at}.call_id`, 'it is missing');
    const custom = item.type === 'custom_tool_call';
    const text = custom ? freeTextArguments(textOf(item.input)) : textOf(item.arguments);
    const fn = { name: shownName(this.#box, item), arguments: text || '{}' };
    this.#partList.call({ id, type: 'function', function: fn });
  }

  #output({ call_id: id, output }: JsonObject, at: string): void {
    if (typeof id !== 'string' || id === '') throw invalid(`${at}.call_id`, 'it is missing');
    const content = Array.isArray(output) ? simplest(partsOf(output, `${at}.output`)) : textOf(output);
    this.#hear({ role: 'tool', tool_call_id: id, content });
  }

  #reasoning(item: JsonObject): void {
    const seal = unseal(item);
    const text = reasoningText(item);
    if (!seal && text === '') return;
    const last = this.#partList.parts.at(-1);
    // Unsigned summaries are joined.
    if (!seal && last?.type === 'thinking' && !last.seal) last.text += `\n\n${text}`;
    else this.#partList.add({ type: 'thinking', text, ...(seal ? { seal } : {}) });
  }
}

/** Some clients send the arguments of a call, or its result, as a value in place of its JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : jsonTextOf(value);
}

function contentOf(content: unknown, at: string): string | ContentPart[] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(at, 'expected a text or a list of parts');
  const parts = partsOf(content, at);
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? (only.text ?? '') : parts;
}

/** Plain texts as a string, which every server accepts. */
function simplest(parts: ContentPart[]): string | ContentPart[] {
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text ?? '').join('') : parts;
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
  // A file stored at OpenAI.
  if (type === 'input_image' && typeof file_id === 'string') {
    return { type: 'file', file: { file_id }, image: true };
  }
  const { input_audio: sound } = objectOf(part);
  if (type === 'input_audio' && typeof objectOf(sound).data === 'string') return { type, input_audio: sound };
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
