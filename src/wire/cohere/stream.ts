import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import type { ReadOptions } from './response.ts';
import { finishReason } from '../endings.ts';
import { numberOf, objectOf, stringOf } from '../json.ts';
import { readEvent } from '../shapes/events.ts';
import { decodeCitation } from './citations.ts';
import { cohereUsage, logprobsOf } from './response.ts';
import type { ChunkNaming } from '../chunks.ts';
import { chunkOf, usageChunks } from '../chunks.ts';

/** White space around the value is allowed. */
const MAX_HELD = 32;

/** A call in progress: its arguments are held back while they may still be `null`. */
interface Call {
  readonly place: number;
  held: string;
  sent: boolean;
}

/**
 * Decodes events of v2 chat to chat chunks. Unknown events are ignored; a call that is never ended is accepted.
 * @see https://docs.cohere.com/v2/docs/streaming
 */
export class CohereReader implements ChatReader {
  readonly #options: ReadOptions;
  readonly #calls = new Map<number, Call>();
  #id: string;
  #begun = false;
  #places = 0;
  /** The number of characters so far, and when each content item began. */
  #length = 0;
  readonly #starts = new Map<number, number>();
  usage: Usage | undefined;
  done = false;
  error: JsonObject | undefined;
  malformed = 0;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#id = `chatcmpl-${options.newId()}`;
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done || event.data === '[DONE]') return [];
    const value = readEvent('cohere', event, this);
    if (!value) return [];
    const delta = objectOf(value.delta);
    const message = objectOf(delta.message);
    const index = numberOf(value.index) ?? 0;
    switch (value.type ?? event.event) {
      case 'message-start':
        this.#id = stringOf(value.id) ?? this.#id;
        return this.#say();
      case 'content-start':
        this.#starts.set(index, this.#length);
        return this.#content(objectOf(message.content), value.logprobs ?? delta.logprobs);
      case 'content-delta':
        return this.#content(objectOf(message.content), value.logprobs ?? delta.logprobs);
      case 'citation-start':
        return this.#cite(objectOf(message.citations));
      case 'tool-plan-delta':
        return this.#text(message.tool_plan);
      case 'tool-call-start':
        return this.#call(index, objectOf(message.tool_calls));
      case 'tool-call-delta':
        return this.#arguments(index, stringOf(objectOf(objectOf(message.tool_calls).function).arguments));
      case 'tool-call-end':
        return this.#close(index);
      case 'message-end':
        return this.#end(delta);
      default:
        return this.#other(value);
    }
  }

  /** An answer is complete with `message-end`, its last event. */
  end(): ChatChunk[] {
    return [];
  }

  #content({ text, thinking }: JsonObject, logprobs: unknown): ChatChunk[] {
    const reasoning = stringOf(thinking);
    if (reasoning) return this.#say({ reasoning_content: reasoning });
    return this.#text(text, logprobs);
  }

  #text(value: unknown, logprobs?: unknown): ChatChunk[] {
    const content = stringOf(value);
    this.#length += content?.length ?? 0;
    return content ? this.#say({ content }, null, logprobsOf(logprobs)) : [];
  }

  #cite(citation: JsonObject): ChatChunk[] {
    const annotations = decodeCitation(
      citation,
      this.#starts.get(numberOf(citation.content_index) ?? 0) ?? 0,
    );
    return annotations.length > 0 ? this.#say({ annotations }) : [];
  }

  #call(index: number, { id, function: fn }: JsonObject): ChatChunk[] {
    const before = this.#close(index);
    const call: Call = { place: this.#places++, held: '', sent: false };
    this.#calls.set(index, call);
    const { name, arguments: first } = objectOf(fn);
    const sent = {
      index: call.place,
      id: stringOf(id) || `call_${this.#options.newId()}`,
      type: 'function' as const,
      function: { name: stringOf(name) ?? '', arguments: '' },
    };
    return [...before, ...this.#say({ tool_calls: [sent] }), ...this.#arguments(index, stringOf(first))];
  }

  #arguments(index: number, fragment: string | undefined): ChatChunk[] {
    const call = this.#calls.get(index);
    if (!call || !fragment) return [];
    call.held += fragment;
    const open = call.held.length < MAX_HELD && 'null'.startsWith(call.held.trim());
    if (!call.sent && open) return [];
    const text = call.held;
    call.held = '';
    call.sent = true;
    return this.#say({ tool_calls: [{ index: call.place, function: { arguments: text } }] });
  }

  #close(index: number): ChatChunk[] {
    const call = this.#calls.get(index);
    this.#calls.delete(index);
    if (!call || call.sent) return [];
    return this.#say({ tool_calls: [{ index: call.place, function: { arguments: '{}' } }] });
  }

  #end({ finish_reason: reason, usage: reported, error }: JsonObject): ChatChunk[] {
    this.usage = cohereUsage(reported);
    const message = stringOf(error);
    if (message) {
      this.error = { type: 'error', error: { type: 'api_error', message } };
      return [];
    }
    const late = [...this.#calls.keys()].flatMap((index) => this.#close(index));
    const finish = finishReason('cohere', reason, this.#places > 0 && 'tools');
    const last = finish === null ? [] : this.#say({}, finish);
    this.done = true;
    return [...late, ...last, ...usageChunks(this.#naming, this.usage)];
  }

  /** Errors have a format of their own: a message without a type. */
  #other({ type, message, error_type: kind }: JsonObject): ChatChunk[] {
    if (stringOf(message) !== undefined && (type === undefined || type === 'error')) {
      this.error = { type: 'error', error: { type: stringOf(kind) ?? 'api_error', message } };
    }
    return [];
  }

  /** Begins with the role, whatever comes first. */
  #say(delta?: ChatDelta, finish: string | null = null, logprobs: JsonObject | null = null): ChatChunk[] {
    const role = this.#begun ? [] : [chunkOf(this.#naming, { role: 'assistant', content: '' })];
    this.#begun = true;
    return delta ? [...role, chunkOf(this.#naming, delta, { finish, logprobs })] : role;
  }

  get #naming(): ChunkNaming {
    const { created, model } = this.#options;
    return { id: this.#id, created, model };
  }
}
