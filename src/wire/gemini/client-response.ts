import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import { objectOf, stringOf } from '../json.ts';
import { canonicalChunks } from '../parts/chunks.ts';
import { Lost } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { CandidateWriter, joinedParts } from './client-candidate.ts';
import { encodeLogprobs } from './client-logprobs.ts';
import { encodeUsage } from './client-usage.ts';

/** The properties of a request that are needed to encode its answer. */
export interface AnswerOptions {
  /** The client's name of the model, for answers that contain none. */
  readonly model: string;
  /** Whether the client requested thoughts. */
  readonly thoughts: boolean;
  readonly newId: () => string;
}

/**
 * Encodes a chat answer in Gemini's format. Incomplete answers are accepted.
 * @see https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
 */
export function encodeContent(answer: ChatResponse, options: AnswerOptions, lost = new Lost()): JsonObject {
  const writing = { thoughts: options.thoughts, newId: options.newId, lost };
  const candidates = answer.choices.map((choice, place) => {
    const index = choice.index ?? place;
    const writer = new CandidateWriter(writing);
    const only = { ...answer, choices: [{ ...choice, index, message: objectOf(choice.message) as never }] };
    for (const { choices } of canonicalChunks(only as ChatResponse))
      for (const { delta, finish_reason: finish } of choices) {
        writer.read(delta);
        if (finish !== null) writer.finish(finish);
      }
    const parts = joinedParts(writer.take());
    return {
      content: { role: 'model', parts },
      ...writer.ending(),
      index,
      ...encodeLogprobs(choice.logprobs),
    };
  });
  return { candidates, usageMetadata: encodeUsage(openaiUsage(answer.usage)), ...headOf(answer, options) };
}

/** The fields that identify every piece of an answer. */
export function headOf(
  { id, model }: { id?: unknown; model?: unknown },
  options: AnswerOptions,
): { modelVersion: string; responseId: string } {
  const own = (stringOf(id) ?? '').replace(/^chatcmpl-/, '');
  return { modelVersion: stringOf(model) || options.model, responseId: own || options.newId() };
}
