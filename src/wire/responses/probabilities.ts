/** Log probabilities in the formats of chat and of the Responses API. */
import type { JsonObject } from '../json.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';

/** Converts a choice's `logprobs` to those of a text; empty if there are none. Missing bytes become an empty list. */
export function encodeProbabilities(logprobs: unknown): JsonObject[] {
  return listOf(objectOf(logprobs).content)
    .filter(isObject)
    .map((each) => ({ ...one(each), top_logprobs: listOf(each.top_logprobs).filter(isObject).map(one) }));
}

function one({ token, logprob, bytes }: JsonObject): JsonObject {
  return {
    token: stringOf(token) ?? '',
    logprob: numberOf(logprob) ?? 0,
    bytes: listOf(bytes).filter((byte) => countOf(byte) !== undefined),
  };
}
