import type { Events } from '../long-events.ts';
import { dataEvent, eventsAfter } from '../long-events.ts';
import type { ProxyError } from '../../errors.ts';
import type { ChatChunk } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { Begun, ChatWriter } from '../protocol.ts';
import type { Usage } from '../usage.ts';
import type { AnswerOptions } from './client-response.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';
import { Lost, lostComment } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { CandidateWriter, joinedParts } from './client-candidate.ts';
import { geminiErrorEvent } from './client-error.ts';
import { encodeLogprobs } from './client-logprobs.ts';
import { headOf } from './client-response.ts';
import { encodeUsage } from './client-usage.ts';

/** Candidates come from outside, and their number must be bounded. */
const MAX_CANDIDATES = 128;

/**
 * Encodes chat chunks as Gemini's stream. Each of its events is an answer with the next parts; the last one has the
 * finish reasons and the usage. Every event has all counts known so far: clients use the last ones.
 * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export class ContentWriter implements ChatWriter {
  readonly #options: AnswerOptions;
  readonly #lost: Lost;
  readonly #begun: Begun | undefined;
  readonly #candidates = new Map<number, CandidateWriter>();
  #head: ReturnType<typeof headOf> | undefined;
  #usage: Usage | undefined;
  #ended = false;

  /** @param begun what the client has already received */
  constructor(options: AnswerOptions, begun?: Begun, lost = new Lost()) {
    this.#options = options;
    this.#begun = begun;
    this.#lost = lost;
  }

  push(chunk: ChatChunk): Events {
    this.#usage = openaiUsage(chunk.usage) ?? this.#usage;
    const choices = listOf(chunk.choices).filter(isObject);
    // Azure's first chunk has no id and model.
    if (choices.length === 0) return this.#isOver && this.#usage ? this.#stop() : '';
    this.#head ??= headOf(chunk, this.#options);
    const ended = choices.flatMap((choice) => this.#piece(choice));
    return ended.length > 0 ? this.#event(ended) : '';
  }

  end(): Events {
    return eventsAfter(this.#stop(), lostComment(this.#lost));
  }

  fail(error: ProxyError, requestId: string): string {
    return geminiErrorEvent(error, requestId);
  }

  get #isOver(): boolean {
    return this.#candidates.size > 0 && [...this.#candidates.values()].every(({ finished }) => finished);
  }

  #piece(choice: JsonObject): JsonObject[] {
    const index = numberOf(choice.index) ?? 0;
    const candidate = this.#candidate(index);
    if (!candidate || candidate.finished) return [];
    candidate.read(objectOf(choice.delta));
    const finish = stringOf(choice.finish_reason);
    if (finish) candidate.finish(finish);
    const parts = joinedParts(candidate.take());
    const probabilities = encodeLogprobs(choice.logprobs);
    if (parts.length === 0 && probabilities.logprobsResult === undefined) return [];
    return [{ content: { role: 'model', parts }, index, ...probabilities }];
  }

  #candidate(index: number): CandidateWriter | undefined {
    const known = this.#candidates.get(index);
    if (known || this.#candidates.size >= MAX_CANDIDATES) return known;
    const { thoughts, newId } = this.#options;
    const made = new CandidateWriter({ thoughts, newId, lost: this.#lost }, this.#begun?.text);
    this.#candidates.set(index, made);
    return made;
  }

  /** The last event: an empty text part, as from Google itself. */
  #stop(): Events {
    if (this.#ended) return '';
    this.#ended = true;
    if (this.#candidates.size === 0) this.#candidate(0);
    const last = [...this.#candidates].map(([index, candidate]) => {
      if (!candidate.finished) candidate.finish('stop');
      const parts = candidate.take();
      const shownParts = parts.length > 0 ? joinedParts(parts) : [{ text: '' }];
      return { content: { role: 'model', parts: shownParts }, ...candidate.ending(), index };
    });
    return this.#event(last);
  }

  #event(candidates: readonly JsonObject[]): Events {
    this.#head ??= headOf({}, this.#options);
    const answer = { candidates, usageMetadata: encodeUsage(this.#usage), ...this.#head };
    return [dataEvent(answer)];
  }
}
