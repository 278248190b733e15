import type { JsonObject } from '../json.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';

/**
 * Log probabilities in Gemini's format, from chat's; `undefined` if there are none.
 * @see https://ai.google.dev/api/generate-content#LogprobsResult
 */
export function encodeLogprobs(logprobs: unknown): JsonObject {
  const tokens = listOf(objectOf(logprobs).content).filter(isObject);
  if (tokens.length === 0) return {};
  const sum = tokens.reduce((total, { logprob }) => total + (numberOf(logprob) ?? 0), 0);
  return {
    avgLogprobs: sum / tokens.length,
    logprobsResult: {
      topCandidates: tokens.map(({ top_logprobs: top }) => ({ candidates: listOf(top).map(candidateOf) })),
      chosenCandidates: tokens.map(candidateOf),
    },
  };
}

function candidateOf(value: unknown): JsonObject {
  const { token, logprob } = objectOf(value);
  return { token: stringOf(token) ?? '', logProbability: numberOf(logprob) ?? 0 };
}
