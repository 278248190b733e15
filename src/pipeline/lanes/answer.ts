import type { Steps } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { parseInSteps, TooComplex } from '../../wire/json-steps.ts';

/** What no answer has: what is nested deeper could not be written again. Its size has a bound of its own. */
const BOUNDS = { maxDepth: 512, maxValues: Infinity, maxFields: Infinity };

/** A provider's answer as a value; `undefined` when it is no JSON. @throws ProxyError `malformed` when it is too deep */
export function* parseAnswer(text: string, target: string): Steps<unknown> {
  try {
    return yield* parseInSteps(text, BOUNDS);
  } catch (cause) {
    if (!(cause instanceof TooComplex)) return undefined;
    const message = `Cannot use the answer of ${target}: it is nested more than ${BOUNDS.maxDepth} levels deep`;
    throw new ProxyError('malformed', message, { target, cause });
  }
}
