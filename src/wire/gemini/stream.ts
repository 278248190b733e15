import type { ChatChunk, ChatDelta } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { ChatReader } from '../protocol.ts';
import type { SseEvent } from '../sse.ts';
import type { Usage } from '../usage.ts';
import type { GeminiContext } from './response.ts';
import { endingOf, fails, finishReason } from '../endings.ts';
import { errorIn } from '../error-event.ts';
import { eventJson } from '../event-json.ts';
import { exactly } from '../json-exact.ts';
import { countOf, isObject, listOf, objectOf, stringOf } from '../json.ts';
import { judgeEvent } from '../shapes/events.ts';
import { decodeLogprobs } from './logprobs.ts';
import type { Part } from '../parts/part.ts';
import { chatAudio } from '../parts/message.ts';
import { extraOf, wholePart } from './answer-parts.ts';
import { CallPieces } from './call-pieces.ts';
import { annotationsOf, grounded, searchOf } from './grounding.ts';
import { Groundings } from './groundings.ts';
import { decodeCall, idOf } from './response.ts';
import { geminiUsage } from './usage.ts';
import type { ChunkNaming } from '../chunks.ts';
import { chunkOf, usageChunks } from '../chunks.ts';
import { reportedSoFar, withUnits } from '../usage.ts';

interface Candidate {
  readonly pieces: CallPieces;
  calls: number;
  /** The latest finish reason: Vertex was seen to repeat it in every event. */
  reason: unknown;
  /** The whole text so far, and its grounding metadata. */
  text: string;
  readonly metadata: JsonObject[];
  /** The id of the generated audio. */
  audio: string | undefined;
}

/** Candidates come from outside, and their number must be bounded. */
const MAX_CANDIDATES = 128;

/**
 * Decodes Gemini's stream to chat chunks. Each of its events is an answer with the next words; calls are sent on once
 * they are whole; the stream has no terminator.
 * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class GeminiReader implements ChatReader {
  readonly #context: GeminiContext;
  readonly #candidates = new Map<number, Candidate>();
  #id: string | undefined;
  #model: string;
  #counted: JsonObject | undefined;
  readonly #groundings = new Groundings();
  done = false;
  error: JsonObject | undefined;
  malformed = 0;
  usage: Usage | undefined;

  constructor(context: GeminiContext) {
    this.#context = context;
    this.#model = context.model;
  }

  push(event: SseEvent): ChatChunk[] {
    if (this.done || this.error) return [];
    const value = exactly(event.data, eventJson(event));
    const answers = Array.isArray(value) ? (value as unknown[]) : [value];
    if (answers.length === 0 || !answers.every(isObject)) {
      this.error = errorIn(value ?? event.data, event.event);
      if (!this.error) this.malformed += 1;
      return [];
    }
    return answers.flatMap((answer) =>
      judgeEvent('gemini', answer, this, event.event) ? this.#answer(answer) : [],
    );
  }

  /** Counts are cumulative, and those that an event omits keep their values. */
  count(answer: JsonObject): void {
    this.#counted = reportedSoFar(this.#counted, answer.usageMetadata);
    this.#groundings.add(answer);
    this.usage = withUnits(geminiUsage(this.#counted), this.#groundings.units);
  }

  end(): ChatChunk[] {
    if (!this.finished || this.done) return [];
    this.done = true;
    const last = [...this.#candidates].flatMap(([index, candidate]) => {
      const finish = finishReason('gemini', candidate.reason, candidate.calls > 0 && 'tools');
      const sources = this.#sources(candidate).map((delta) => chunkOf(this.#naming, delta, { index }));
      return [...sources, chunkOf(this.#naming, {}, { index, finish })];
    });
    return [...last, ...usageChunks(this.#naming, this.usage)];
  }

  /** The sources of the text: their positions count bytes, and they are complete at the end only. */
  #sources({ text, metadata }: Candidate): ChatDelta[] {
    if (metadata.length === 0) return [];
    const whole = [grounded(text, 0)];
    const annotations = metadata.flatMap((each) => annotationsOf(each, whole));
    const parts = metadata.flatMap((each) => searchOf(each, `search_${this.#context.newId()}`));
    return [...(annotations.length > 0 ? [{ annotations }] : []), ...(parts.length > 0 ? [{ parts }] : [])];
  }

  get finished(): boolean {
    const candidates = [...this.#candidates.values()];
    return candidates.length > 0 && candidates.every(({ reason }) => reason !== undefined);
  }

  #answer(answer: JsonObject): ChatChunk[] {
    this.count(answer);
    // The id of an answer stays the same, whatever later events say.
    if (this.#id === undefined) this.#model = stringOf(answer.modelVersion) ?? this.#model;
    this.#id ??= idOf(answer, this.#context);
    const candidates = listOf(answer.candidates).filter(isObject);
    if (candidates.length === 0 && stringOf(objectOf(answer.promptFeedback).blockReason) !== undefined) {
      return this.#candidate({ finishReason: 'SAFETY' }, 0);
    }
    return candidates.flatMap((candidate, at) => this.#candidate(candidate, at));
  }

  #candidate(value: JsonObject, at: number): ChatChunk[] {
    const index = countOf(value.index) ?? at;
    const ending = endingOf('gemini', value.finishReason);
    if (fails(ending)) return [chunkOf(this.#naming, {}, { index, finish: ending.finish })];
    const chunks: ChatChunk[] = [];
    let candidate = this.#candidates.get(index);
    if (!candidate) {
      if (this.#candidates.size >= MAX_CANDIDATES) return [];
      candidate = {
        pieces: new CallPieces(),
        calls: 0,
        reason: undefined,
        text: '',
        metadata: [],
        audio: undefined,
      };
      this.#candidates.set(index, candidate);
      chunks.push(chunkOf(this.#naming, { role: 'assistant', content: '' }, { index }));
    }
    const { pieces } = candidate;
    const parts = listOf(objectOf(value.content).parts)
      .map(objectOf)
      .flatMap((part) => (isObject(part.functionCall) ? pieces.push(part) : [part]));
    const whole = ending ? [...parts, ...pieces.end()] : parts;
    const deltas = whole.map((part) => this.#delta(part, candidate)).filter((delta) => delta !== undefined);
    // It is repeated in each event, as far as it is known.
    if (isObject(value.groundingMetadata)) keepFuller(candidate.metadata, value.groundingMetadata);
    const logprobs = decodeLogprobs(value.logprobsResult);
    if (logprobs && deltas.length === 0) deltas.push({});
    // They refer to the whole event, and are sent with its first text.
    const place = Math.max(
      0,
      deltas.findIndex((delta) => delta.content !== undefined),
    );
    deltas.forEach((delta, each) => {
      const chunk = chunkOf(this.#naming, delta, { index });
      if (logprobs && each === place) chunk.choices[0]!.logprobs = logprobs;
      chunks.push(chunk);
    });
    if (ending) candidate.reason = value.finishReason;
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
    if (typeof text !== 'string') {
      const parts = wholePart(part, this.#context);
      if (parts.length > 0) return soundOr(parts, candidate);
    }
    const own = stringOf(text) ?? '';
    if (thought === true) return own === '' ? undefined : { reasoning_content: own };
    const extra = typeof signature === 'string' ? { extra_content: extraOf(signature) } : {};
    if (own === '' && !extra.extra_content) return undefined;
    candidate.text += own;
    return { ...(own === '' ? {} : { content: own }), ...extra };
  }

  get #naming(): ChunkNaming {
    return { id: this.#id ?? '', created: this.#context.created, model: this.#model };
  }
}

/** Audio is sent in pieces; other data is sent whole. */
function soundOr(parts: readonly Part[], candidate: Candidate): ChatDelta {
  const [only] = parts;
  if (only?.type !== 'audio') return { parts };
  const id = (candidate.audio ??= only.id);
  return { audio: { ...chatAudio(only), id } };
}

/** The latest finish reason, unless it is less specific than an earlier one. */
function keepFuller(known: JsonObject[], fuller: JsonObject): void {
  const chunks = (metadata: JsonObject | undefined) => listOf(metadata?.groundingChunks).length;
  if (chunks(fuller) >= chunks(known[0])) known.splice(0, 1, fuller);
}
