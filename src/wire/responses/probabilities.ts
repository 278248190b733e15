/** Probabilities of tokens, as chat tells them and as parts of a response do. */
import type { JsonObject } from '../json.ts';
import { countOf, isObject, listOf, numberOf, objectOf, stringOf } from '../json.ts';

/** A choice's `logprobs` as those of a text; empty where there are none. Bytes that are not told are an empty list. */
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
