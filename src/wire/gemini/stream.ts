import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import type { GeminiContext } from './response.ts';
import { isObject, listOf, numberOf, objectOf, parseJson, stringOf } from '../json.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { decodeCall, extraOf, geminiFinish, geminiUsage, idOf } from './response.ts';

interface Candidate {
  calls: number;
  finish: string | undefined;
}

/** Candidates come from outside and must not be as many as they like. */
const MAX_CANDIDATES = 128;

/**
 * Gemini's stream to chat chunks. Each of its events is an answer of its own with the next words; calls come whole;
 * nothing marks the end but the end.
 * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GeminiReader implements ChatReader {
  readonly #context: GeminiContext;
  readonly #candidates = new Map<number, Candidate>();
  #id: string | undefined;
  #model: string;
  done = false;
  error: JsonObject | undefined;
  malformed = 0;
  usage: Usage | undefined;

  constructor(context: GeminiContext) {
    this.#context = context;
    this.#model = context.model;
  }

  push({ data }: SseEvent): ChatChunk[] {
    const value = parseJson(data);
    const answer = Array.isArray(value) ? (value[0] as unknown) : value;
    if (!isObject(answer)) {
      this.malformed += 1;
      return [];
    }
    if (isObject(answer.error)) {
      this.error = answer;
      return [];
    }
    this.#id ??= idOf(answer, this.#context);
    this.#model = stringOf(answer.modelVersion) ?? this.#model;
    this.usage = geminiUsage(answer.usageMetadata) ?? this.usage;
    const candidates = listOf(answer.candidates).filter(isObject);
    if (candidates.length === 0 && stringOf(objectOf(answer.promptFeedback).blockReason) !== undefined) {
      return this.#candidate({ finishReason: 'SAFETY' }, 0);
    }
    return candidates.flatMap((candidate, at) => this.#candidate(candidate, at));
  }

  end(): ChatChunk[] {
    const candidates = [...this.#candidates.values()];
    const finished = candidates.length > 0 && candidates.every(({ finish }) => finish !== undefined);
    if (!finished || this.done) return [];
    this.done = true;
    if (!this.usage) return [];
    return [{ ...this.#chunk(0, {}), choices: [], usage: encodeOpenaiUsage(this.usage) }];
  }

  #candidate(value: JsonObject, at: number): ChatChunk[] {
    const index = numberOf(value.index) ?? at;
    const chunks: ChatChunk[] = [];
    let candidate = this.#candidates.get(index);
    if (!candidate) {
      if (this.#candidates.size >= MAX_CANDIDATES) return [];
      candidate = { calls: 0, finish: undefined };
      this.#candidates.set(index, candidate);
      chunks.push(this.#chunk(index, { role: 'assistant', content: '' }));
    }
    for (const part of listOf(objectOf(value.content).parts)) {
      const delta = this.#delta(objectOf(part), candidate);
      if (delta) chunks.push(this.#chunk(index, delta));
    }
    const finish = geminiFinish(value.finishReason, candidate.calls > 0);
    if (finish !== undefined && candidate.finish === undefined) {
      candidate.finish = finish;
      chunks.push(this.#chunk(index, {}, finish));
    }
    return chunks;
  }

  #delta(part: JsonObject, candidate: Candidate): ChatDelta | undefined {
    const { text, thought, functionCall, thoughtSignature: signature } = part;
    if (isObject(functionCall)) {
      const { type: _, ...call } = decodeCall(functionCall, signature, this.#context);
      const index = candidate.calls;
      candidate.calls += 1;
      return { tool_calls: [{ index, ...call, type: 'function' }] };
    }
    const said = stringOf(text) ?? '';
    if (thought === true) return said === '' ? undefined : { reasoning_content: said };
    const extra = typeof signature === 'string' ? { extra_content: extraOf(signature) } : {};
    if (said === '' && !extra.extra_content) return undefined;
    return { ...(said === '' ? {} : { content: said }), ...extra };
  }

  #chunk(index: number, delta: ChatDelta, finish: string | null = null): ChatChunk {
    return {
      id: this.#id ?? '',
      object: 'chat.completion.chunk',
      created: this.#context.created,
      model: this.#model,
      choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    };
  }
}
