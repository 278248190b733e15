import type { Steps } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { ANSWER_BOUNDS } from '../../wire/json.ts';
import { KINDS, parseInSteps, TooComplex, TooLong } from '../../wire/json-steps.ts';

/**
 * A provider's answer as a value; `undefined` when it is not JSON. @throws ProxyError `malformed` when it is too
 * complex
 */
export function* parseAnswer(text: string, target: string): Steps<unknown> {
  try {
    return yield* parseInSteps(text, ANSWER_BOUNDS);
  } catch (cause) {
    const excess = excessOf(cause);
    if (excess === undefined) return undefined;
    const message = `Cannot use the answer of ${target}: it has ${excess}`;
    throw new ProxyError('malformed', message, { target, cause });
  }
}

/** The exceeded complexity limit of an answer; `undefined` when it is not JSON. */
function excessOf(cause: unknown): string | undefined {
  if (cause instanceof TooLong) return cause.message;
  return cause instanceof TooComplex
    ? `more than ${ANSWER_BOUNDS[cause.bound]} ${KINDS[cause.bound]}`
    : undefined;
}
