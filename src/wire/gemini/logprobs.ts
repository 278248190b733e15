import type { JsonObject } from '../json.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';

/**
 * Log probabilities of a candidate in OpenAI's format; `null` if there are none. Gemini does not report bytes.
 * @see https://ai.google.dev/api/generate-content#LogprobsResult
 */
export function decodeLogprobs(result: unknown): JsonObject | null {
  if (!isObject(result)) return null;
  const others = listOf(result.topCandidates);
  const content = listOf(result.chosenCandidates).map((chosen, at) => ({
    ...tokenOf(chosen),
    top_logprobs: listOf(objectOf(others[at]).candidates).map(tokenOf),
  }));
  return content.length > 0 ? { content, refusal: null } : null;
}

function tokenOf(candidate: unknown): JsonObject {
  const { token, logProbability } = objectOf(candidate);
  return { token: stringOf(token) ?? '', logprob: numberOf(logProbability) ?? 0, bytes: null };
}
