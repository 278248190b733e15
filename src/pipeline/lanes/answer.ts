import type { Steps } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { excessIn } from '../../wire/json-fields.ts';
import { ANSWER_BOUNDS } from '../../wire/json.ts';
import { KINDS, TooComplex, TooLong } from '../../wire/json-bounds.ts';
import { parseInSteps } from '../../wire/json-steps.ts';

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

/**
 * The same for an answer that is written anew.
 * @throws ProxyError `malformed` when it has too much for that
 */
export function* parseRewritable(text: string, target: string): Steps<unknown> {
  const value = yield* parseAnswer(text, target);
  const excess = yield* excessIn(value, text);
  if (excess === undefined) return value;
  const message = `Cannot use the answer of ${target}: it has more than ${excess}`;
  throw new ProxyError('malformed', message, { target });
}

/** The exceeded complexity limit of an answer; `undefined` when it is not JSON. */
function excessOf(cause: unknown): string | undefined {
  if (cause instanceof TooLong) return cause.message;
  return cause instanceof TooComplex
    ? `more than ${ANSWER_BOUNDS[cause.bound]} ${KINDS[cause.bound]}`
    : undefined;
}
