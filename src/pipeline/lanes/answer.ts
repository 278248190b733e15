import type { Steps } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { stringifyInSteps } from '../../wire/json-write.ts';
import { KINDS, parseInSteps, TooComplex, TooLong } from '../../wire/json-steps.ts';

/** What no answer has: large ones hold vectors, or the probabilities of each token. What is too deep could not be written again. */
const BOUNDS = { maxDepth: 512, maxValues: 10_000_000, maxFields: 2_000_000 };

/** A provider's answer as a value; `undefined` when it is no JSON. @throws ProxyError `malformed` when it is too complex to be read */
export function* parseAnswer(text: string, target: string): Steps<unknown> {
  try {
    return yield* parseInSteps(text, BOUNDS);
  } catch (cause) {
    const excess = excessOf(cause);
    if (excess === undefined) return undefined;
    const message = `Cannot use the answer of ${target}: it has ${excess}`;
    throw new ProxyError('malformed', message, { target, cause });
  }
}

/** What an answer has too much of; `undefined` when it is no JSON. */
function excessOf(cause: unknown): string | undefined {
  if (cause instanceof TooLong) return cause.message;
  return cause instanceof TooComplex ? `more than ${BOUNDS[cause.bound]} ${KINDS[cause.bound]}` : undefined;
}

/** A provider's answer of this length, characters, is written at once in another protocol. */
const SHORT = 256 * 1024;

/** An answer in the client's protocol as JSON text. @param from the provider's, which it is about as long as */
export function* writeAnswer(answer: object, from: string): Steps<string> {
  if (from.length <= SHORT) return JSON.stringify(answer);
  yield;
  return yield* stringifyInSteps(answer);
}
