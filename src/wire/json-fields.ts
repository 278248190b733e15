import type { Steps } from '../turns.ts';
import { isObject } from './json.ts';

/** How many values are looked at between two pauses. */
const STRIDE = 20_000;

/** Below this length of its text a value cannot have too many fields, characters. */
const SHORT = 256 * 1024;

/**
 * The most objects and fields of an answer, or of one event, that is written anew: that cannot be interrupted. Answers
 * have a few for each part, call or citation.
 */
export const MOST_REWRITTEN = 65_536;

/**
 * The most escapes in its JSON text: such a character takes a hundred times as long to write as others, and some
 * protocols repeat a text several times.
 */
export const MOST_ESCAPES = 500_000;

/** Log probabilities are many, and quickly copied. */
const UNCOUNTED = /^logprobs/;

/**
 * What an answer has too much of to be written anew; `undefined` if it can be.
 * @param text that it was parsed from, JSON
 */
export function* excessIn(value: unknown, text: string): Steps<string | undefined> {
  if (text.length <= SHORT) return undefined;
  if (yield* hasManyFields(value)) return `${MOST_REWRITTEN} objects and fields`;
  return (yield* hasManyEscapes(text)) ? `${MOST_ESCAPES} escaped characters` : undefined;
}

function* hasManyEscapes(text: string): Steps<boolean> {
  let escapes = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at + 2)) {
    if ((escapes += 1) > MOST_ESCAPES) return true;
    if (escapes % STRIDE === 0) yield;
  }
  return false;
}

function* hasManyFields(value: unknown): Steps<boolean> {
  const left: unknown[] = [value];
  let fields = 0;
  for (let seen = 0; left.length > 0; seen += 1) {
    if (seen % STRIDE === STRIDE - 1) yield;
    const next = left.pop();
    if (Array.isArray(next)) for (const member of next) left.push(member);
    if (!isObject(next)) continue;
    fields += 1;
    for (const name in next) {
      fields += 1;
      if (!UNCOUNTED.test(name)) left.push(next[name]);
    }
    if (fields > MOST_REWRITTEN) return true;
  }
  return false;
}
