import type { ChatChunk, ChatDelta, ToolCallDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader, EncodeContext } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import { endingOf, fails } from '../endings.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import type { Annotation, Seal } from '../parts/part.ts';
import { brokenEvent, readEvent } from '../shapes/events.ts';
import { ExecutedTools } from '../reported-tools.ts';
import { encodeOpenaiUsage, openaiUsage, withUnits } from '../usage.ts';
import { RegularChunks } from './regular-chunks.ts';
import { sourcesBeside } from './answer-parts.ts';
import { growDetails, sealOf } from './reasoning-details.ts';
import { argumentsText } from '../json-written.ts';
import { decodeChunk } from './response.ts';

interface Call {
  /** The server's own index, if it sends one. */
  readonly index: number | undefined;
  readonly id: string | undefined;
  /** Whether it has no arguments yet. */
  empty: boolean;
}

interface Choice {
  begun: boolean;
  /** The latest finish reason: more content may follow. */
  finish: string | undefined;
  readonly calls: Call[];
  /** What must be sent back with the current reasoning. */
  details: JsonObject[];
}

/** Indexes come from outside and must not create arbitrarily long lists. */
const MAX_CHOICES = 128;

/**
 * Normalises the chunks of any vendor: the role first and once, tool calls numbered from 0 with id and name in their
 * first piece only, one finish reason per choice, the usage in a chunk of its own, both at the end.
 */
export class ChunkReader implements ChatReader {
  readonly #context: Pick<EncodeContext, 'created' | 'newId' | 'quirks'>;
  readonly #choices = new Map<number, Choice>();
  readonly #regular: RegularChunks;
  #named: ChatChunk | undefined;
  #usage: ChatChunk['usage'];
  readonly #executed = new ExecutedTools();
  /** Sources beside the choices, which each chunk may repeat. */
  #beside: Annotation[] = [];
  done = false;
  error: JsonObject | undefined;
  malformed = 0;

  /** @param single whether a single answer is requested */
  constructor(context: Pick<EncodeContext, 'created' | 'newId' | 'quirks'>, single = false) {
    this.#context = context;
    this.#regular = new RegularChunks(single);
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done) return [];
    // Some hosts send the terminator without a finish reason.
    if (event.data === '[DONE]') return this.#stop();
    const value = readEvent('chat', event, this);
    if (!value) return [];
    const chunk = decodeChunk(this.#regular.chunk(value), this.#context);
    this.#counts(chunk.usage);
    this.#executed.add(value);
    const beside = sourcesBeside(value);
    if (beside.length > 0) this.#beside = beside;
    // Some servers give each chunk another id, and Azure's first chunk has none.
    if (!this.#named?.model) this.#named = { ...chunk, id: chunk.id || `chatcmpl-${this.#context.newId()}` };
    return chunk.choices.flatMap((choice) => this.#choice(choice));
  }

  count({ usage }: JsonObject): void {
    this.#counts(decodeChunk({ usage }, this.#context).usage);
  }

  /** Some servers end with a usage that is empty. */
  #counts(told: ChatChunk['usage']): void {
    if (told && (!this.#usage || told.prompt_tokens + told.completion_tokens > 0)) this.#usage = told;
  }

  end(): ChatChunk[] {
    return this.finished && !this.done ? this.#stop() : [];
  }

  get finished(): boolean {
    const choices = [...this.#choices.values()];
    return choices.length > 0 && choices.every(({ finish }) => finish !== undefined);
  }

  get usage(): Usage | undefined {
    return withUnits(openaiUsage(this.#usage), this.#executed.units);
  }

  #stop(): ChatChunk[] {
    if (this.#regular.lacksName) {
      this.error ??= brokenEvent();
      return [];
    }
    this.done = true;
    if (this.#regular.endsWithCalls)
      for (const choice of this.#choices.values()) choice.finish ??= 'tool_calls';
    const last = [...this.#choices].flatMap(([index, choice]) => this.#finish(index, choice));
    if (!this.#usage || !this.#named) return last;
    return [...last, { ...this.#named, choices: [], usage: encodeOpenaiUsage(this.usage!) }];
  }

  #choice({ index, delta, logprobs, finish_reason: finish }: ChatChunk['choices'][number]): ChatChunk[] {
    let choice = this.#choices.get(index);
    if (!choice) {
      if (this.#choices.size >= MAX_CHOICES) return [];
      choice = { begun: false, finish: undefined, calls: [], details: [] };
      this.#choices.set(index, choice);
    }
    if (fails(endingOf('chat', finish))) {
      return [this.#chunk({ index, delta: {}, logprobs: null, finish_reason: finish })];
    }
    // Together sends it after the first of several calls, and some vendors repeat their last chunk.
    choice.finish = finish ?? choice.finish;
    const { role: _, tool_calls: calls, reasoning_details: details, ...rest } = delta;
    const chunks: ChatChunk[] = [];
    const say = (added: ChatDelta, reason: string | null = null, probabilities: unknown = null) =>
      chunks.push(this.#chunk({ index, delta: added, logprobs: probabilities, finish_reason: reason }));
    if (!choice.begun) say({ role: 'assistant', content: '' });
    choice.begun = true;
    growDetails(choice.details, listOf(details).filter(isObject));
    if (rest.content !== undefined || (calls ?? []).length > 0) {
      const seals = sealed(choice);
      if (seals.length > 0 && rest.reasoning_content !== undefined) {
        say({ reasoning_content: rest.reasoning_content });
        delete rest.reasoning_content;
      }
      for (const seal of seals) say({ thinking_blocks: [seal] });
    }
    if (Object.keys(rest).length > 0) say(rest, null, logprobs);
    for (const call of calls ?? []) {
      const piece = this.#call(choice, call as unknown as JsonObject);
      if (piece) say({ tool_calls: [piece] });
    }
    return chunks;
  }

  /** Completes the arguments of calls without any, and emits the finish reason. */
  #finish(index: number, choice: Choice): ChatChunk[] {
    const { calls, finish } = choice;
    const say = (delta: ChatDelta, reason: string | null) =>
      this.#chunk({ index, delta, logprobs: null, finish_reason: reason });
    const empty = calls.flatMap((call, at) =>
      call.empty ? [say({ tool_calls: [{ index: at, function: { arguments: '{}' } }] }, null)] : [],
    );
    const annotations = index === 0 ? this.#beside.splice(0) : [];
    const late = [
      ...sealed(choice).map((seal) => say({ thinking_blocks: [seal] }, null)),
      ...(annotations.length > 0 ? [say({ annotations }, null)] : []),
      ...empty,
    ];
    if (finish === undefined) return late;
    return [...late, say({}, calls.length > 0 && finish === 'stop' ? 'tool_calls' : finish)];
  }

  /** Some vendors omit the index or give every call the same one: a new id is a new call. */
  #call({ calls }: Choice, delta: JsonObject): ToolCallDelta | undefined {
    const index = numberOf(delta.index);
    const id = stringOf(delta.id) || undefined;
    const { name, arguments: given } = objectOf(delta.function);
    const text = argumentsText(given);
    const known = calls.findLastIndex((call) =>
      index === undefined ? id === undefined || call.id === id : call.index === index,
    );
    const same =
      known >= 0 && (id === undefined || calls[known]!.id === undefined || calls[known]!.id === id);
    if (same) {
      if (text === '') return undefined;
      calls[known]!.empty = false;
      return { index: known, function: { arguments: text } };
    }
    if (calls.length >= 1_024) return undefined;
    // Its beginning was lost, so that it cannot be executed.
    if (!stringOf(name)) {
      this.error ??= brokenEvent();
      return undefined;
    }
    calls.push({ index, id, empty: text === '' });
    return {
      index: calls.length - 1,
      id: id ?? `call_${this.#context.newId()}`,
      type: 'function',
      function: { name: stringOf(name) ?? '', arguments: text },
      ...(delta.extra_content === undefined ? {} : { extra_content: delta.extra_content }),
    };
  }

  #chunk(choice: ChatChunk['choices'][number]): ChatChunk {
    const { id, created, model } = this.#named!;
    return { id, object: 'chat.completion.chunk', created, model, choices: [choice] };
  }
}

/** Emits the collected reasoning details, once. */
function sealed(choice: Choice): Seal[] {
  const seals = sealOf(choice.details);
  choice.details = [];
  return seals;
}
