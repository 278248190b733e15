import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { AnswerOptions } from './client-answer.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { canonicalChunks } from '../parts/chunks.ts';
import { Lost } from '../parts/lost.ts';
import { openaiUsage } from '../usage.ts';
import { answerOf, encodeLogprobs, endingOf } from './client-answer.ts';
import { OllamaPieces, together } from './client-pieces.ts';

/** Encodes a whole chat answer. If there are several choices, the first is used. */
export function encodeWhole(answer: ChatResponse, options: AnswerOptions, lost = new Lost()): JsonObject {
  const choices = listOf(answer.choices).filter(isObject);
  const choice = choices[0] ?? {};
  lost.add('choice', choices.length - 1);
  const pieces = new OllamaPieces({ newId: options.newId, lost, thoughts: options.thoughts });
  const only = { ...answer, choices: [{ ...choice, message: objectOf(choice.message) }] };
  let finish: string | null = null;
  for (const chunk of canonicalChunks(only as unknown as ChatResponse)) {
    for (const { delta, finish_reason } of chunk.choices) {
      pieces.read(delta);
      finish ??= finish_reason;
    }
  }
  pieces.end();
  return {
    ...answerOf(options, together(pieces.take()), true),
    ...encodeLogprobs(choice.logprobs),
    ...endingOf(finish, openaiUsage(answer.usage), { begunMs: undefined, endMs: options.elapsedMs() }),
  };
}
