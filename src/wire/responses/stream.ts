import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader, EncodeContext } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import { fails } from '../endings.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { readEvent } from '../shapes/events.ts';
import { decodeCitation } from './citations.ts';
import { decodeOther } from './hosted.ts';
import { PARAGRAPH } from './paragraphs.ts';
import { argumentsOf, CALLS, encryptedBlock, eventUsage, reasoningText, responseEnding } from './response.ts';
import type { Call } from './call-book.ts';
import { CallBook } from './call-book.ts';
import type { ChunkNaming } from '../chunks.ts';
import { chunkOf, usageChunks } from '../chunks.ts';

type Context = Pick<EncodeContext, 'created' | 'model' | 'newId'>;

type Streamed = 'message' | 'reasoning';

/**
 * Decodes Responses events to chat chunks. Servers that omit sequence numbers, indexes or ids are accepted; unknown
 * events are ignored.
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 */
export class ResponsesReader implements ChatReader {
  readonly #context: Context;
  readonly #calls: CallBook;
  #id: string;
  #model = '';
  #created: number | undefined;
  #begun = false;
  #called = 0;
  /** The length of the text so far, and of the part before the current one. */
  #length = 0;
  #before = 0;
  /** Whether a new message begins, while text precedes. */
  #apart = false;
  /** Items with content, by id and output index, or by their type for servers that send neither. */
  readonly #streamed = new Set<unknown>();
  /** Whether a part of reasoning preceded. */
  #thought = false;
  #between = false;
  /** Whether an item of any kind was announced. */
  #listed = false;
  usage: Usage | undefined;
  done = false;
  error: JsonObject | undefined;
  malformed = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#calls = new CallBook(context.newId);
    this.#id = `resp_${context.newId()}`;
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done || event.data === '[DONE]') return [];
    const value = readEvent('responses', event, this);
    if (!value) return [];
    this.usage = eventUsage(value) ?? this.usage;
    const chunks = this.#event(stringOf(value.type) ?? event.event ?? '', value);
    if (chunks.length === 0 || this.#begun) return chunks;
    this.#begun = true;
    return [this.#chunk({ role: 'assistant', content: '' }), ...chunks];
  }

  /** A response is only complete with its last event. */
  end(): ChatChunk[] {
    return [];
  }

  #event(type: string, value: JsonObject): ChatChunk[] {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.#name(objectOf(value.response));
      case 'response.output_item.added':
        return this.#added(objectOf(value.item), value.output_index);
      case 'response.content_part.added':
        this.#before = this.#length;
        return [];
      case 'response.output_text.annotation.added':
        return this.#cite([value.annotation]);
      case 'response.output_text.delta':
        return this.#say('content', value.delta, value, listOf(value.logprobs));
      case 'response.refusal.delta':
        return this.#say('refusal', value.delta, value);
      case 'response.reasoning_summary_part.added':
        this.#between = this.#thought;
        return [];
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.#think(stringOf(value.delta) ?? '', value);
      case 'response.function_call_arguments.delta':
        return this.#argue(this.#calls.about(value), stringOf(value.delta) ?? '');
      case 'response.function_call_arguments.done':
        return this.#whole(this.#calls.about(value), stringOf(value.arguments) ?? '');
      case 'response.output_item.done':
        return this.#itemDone(objectOf(value.item), value.output_index);
      case 'response.completed':
      case 'response.incomplete':
        return this.#complete(type, objectOf(value.response));
      case 'response.failed':
        return this.#fail(objectOf(value.response));
      case 'response.cancelled':
        return this.#end('cancelled');
      default:
        return [];
    }
  }

  #name(response: JsonObject): ChatChunk[] {
    if (this.#begun) return [];
    this.#id = stringOf(response.id) || this.#id;
    this.#model ||= stringOf(response.model) ?? '';
    this.#created ??= countOf(response.created_at);
    return [];
  }

  #added(item: JsonObject, place: unknown): ChatChunk[] {
    this.#listed = true;
    this.#before = this.#length;
    if (item.type === 'reasoning') this.#between = this.#thought;
    if (item.type === 'message') this.#apart = this.#length > 0;
    if (CALLS.has(item.type)) this.#calls.add(item, place);
    return [];
  }

  #say(
    field: 'content' | 'refusal',
    delta: unknown,
    of: JsonObject,
    probabilities: readonly unknown[] = [],
  ): ChatChunk[] {
    const text = stringOf(delta) ?? '';
    if (text === '') return [];
    this.#streams('message', of);
    const gap = field === 'content' ? this.#gap() : [];
    if (field === 'content') this.#length += text.length;
    const logprobs = probabilities.length > 0 ? { content: probabilities, refusal: null } : null;
    return [...gap, chunkOf(this.#naming, { [field]: text }, { logprobs })];
  }

  /** What separates a message from the one before. */
  #gap(): ChatChunk[] {
    if (!this.#apart) return [];
    this.#apart = false;
    this.#length += PARAGRAPH.length;
    this.#before = this.#length;
    return [this.#chunk({ content: PARAGRAPH })];
  }

  #cite(notes: readonly unknown[]): ChatChunk[] {
    const annotations = notes.flatMap((note) => decodeCitation(note, this.#before));
    return annotations.length > 0 ? [this.#chunk({ annotations })] : [];
  }

  #streams(type: Streamed, { item_id, output_index }: JsonObject): void {
    const names = [item_id, output_index].filter((name) => name !== undefined);
    for (const name of names.length > 0 ? names : [type]) this.#streamed.add(name);
  }

  #think(text: string, of: JsonObject): ChatChunk[] {
    if (text === '') return [];
    const gap = this.#between ? '\n\n' : '';
    this.#between = false;
    this.#thought = true;
    this.#streams('reasoning', of);
    return [this.#chunk({ reasoning_content: gap + text })];
  }

  /** A call is only sent to the client once it continues: some servers announce calls that they make themselves. */
  #tell(call: Call): ChatChunk[] {
    if (call.index !== undefined) return [];
    call.index = this.#called;
    this.#called += 1;
    const fn = { name: call.name, arguments: '' };
    return [
      this.#chunk({ tool_calls: [{ index: call.index, id: call.id, type: 'function', function: fn }] }),
    ];
  }

  #argue(call: Call | undefined, text: string): ChatChunk[] {
    if (!call || text === '') return [];
    const called = this.#tell(call);
    call.fragments = true;
    return [...called, this.#chunk({ tool_calls: [{ index: call.index!, function: { arguments: text } }] })];
  }

  #whole(call: Call | undefined, text: string): ChatChunk[] {
    if (!call) return [];
    return call.fragments ? [] : this.#argue(call, text || '{}');
  }

  #itemDone(item: JsonObject, place: unknown): ChatChunk[] {
    const of = { item_id: item.id, output_index: place };
    const spoke = [item.id, place, item.type].some((name) => name !== undefined && this.#streamed.has(name));
    if (CALLS.has(item.type)) {
      const known = this.#calls.named(item.id, item.call_id, place);
      return this.#whole(known ?? this.#calls.add(item, place), argumentsOf(item));
    }
    if (item.type === 'reasoning') {
      const block = encryptedBlock(item);
      const text = spoke ? [] : this.#think(reasoningText(item), of);
      return !block ? text : [...text, this.#chunk({ thinking_blocks: [block] })];
    }
    if (item.type !== 'message') {
      const parts = decodeOther(item);
      return parts.length > 0 ? [this.#chunk({ parts })] : [];
    }
    if (spoke) return [];
    this.#apart = this.#length > 0;
    return listOf(item.content).flatMap((part) => {
      const { text, refusal, annotations } = objectOf(part);
      this.#before = this.#length;
      const rest = [...this.#say('content', text, of), ...this.#say('refusal', refusal, of)];
      return [...rest, ...this.#cite(listOf(annotations))];
    });
  }

  #complete(type: string, response: JsonObject): ChatChunk[] {
    this.#name(response);
    const status = type === 'response.incomplete' ? 'incomplete' : response.status;
    const ending = responseEnding({ ...response, status });
    if (fails(ending)) return this.#end(ending.finish);
    // Some servers send everything at once.
    const items = this.#begun ? [] : listOf(response.output);
    const chunks = items.flatMap((item, place) => this.#itemDone(objectOf(item), place));
    this.done = true;
    // A completed response without any output does not count as an answer.
    if (!this.#begun && !this.#listed && items.length === 0 && ending?.finish === 'stop') return [];
    const reason = ending?.finish ?? 'stop';
    const finish = this.#called > 0 && reason === 'stop' ? 'tool_calls' : reason;
    return [...chunks, ...this.#end(finish), ...usageChunks(this.#naming, this.usage)];
  }

  /** A response may fail without a reason. */
  #fail({ error }: JsonObject): ChatChunk[] {
    if (!isObject(error)) return this.#end('failed');
    this.error = { error };
    return [];
  }

  #end(finish: string): ChatChunk[] {
    return [chunkOf(this.#naming, {}, { finish })];
  }

  #chunk(delta: ChatDelta): ChatChunk {
    return chunkOf(this.#naming, delta);
  }

  get #naming(): ChunkNaming {
    const { created, model } = this.#context;
    return { id: this.#id, created: this.#created ?? created, model: this.#model || model };
  }
}
