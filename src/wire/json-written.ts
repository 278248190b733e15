/**
 * Translation is synchronous, and converts the arguments of calls to text where other protocols have objects. If these
 * are large, they are serialised in steps beforehand.
 */
import type { Steps } from '../turns.ts';
import { isObject, stringOf } from './json.ts';
import { stringifyInSteps } from './json-write.ts';

/** Results of sources below this size are serialised when they are needed, bytes or characters. */
const SHORT = 128 * 1024;

/** How many characters of short texts are serialised between two pauses. */
const STRIDE = 256 * 1024;

/** The values serialised for the current synchronous work. */
let written: ReadonlyMap<unknown, string> | undefined;

/** The JSON text of a value. */
export function jsonTextOf(value: unknown): string {
  return written?.get(value) ?? JSON.stringify(value);
}

/** Serialises the values in steps, then runs the work that needs them. @param length of their source */
export function* writingFirst<T>(values: () => readonly object[], length: number, work: () => T): Steps<T> {
  if (length <= SHORT) return work();
  const texts = new Map<object, string>();
  let left = STRIDE;
  for (const value of values()) {
    const text = yield* stringifyInSteps(value);
    texts.set(value, text);
    left -= text.length;
    if (left > 0) continue;
    yield;
    left = STRIDE;
  }
  const before = written;
  written = texts;
  try {
    return work();
  } finally {
    written = before;
  }
}

/** The arguments of a call as JSON text: Mistral and some clients give them as an object. */
export function argumentsText(value: unknown): string {
  return isObject(value) ? jsonTextOf(value) : (stringOf(value) ?? '');
}
