/**
 * Translation is done at once, and makes texts of what calls are given, which other protocols have as objects. Where they
 * are large, they are written in steps before.
 */
import type { Steps } from '../turns.ts';
import { stringifyInSteps } from './json-write.ts';

/** What comes of so many bytes or characters is written when it is needed. */
const SHORT = 128 * 1024;

/** Characters of short texts that are written between two pauses. */
const STRIDE = 256 * 1024;

/** What was written before the work that is being done. */
let written: ReadonlyMap<unknown, string> | undefined;

/** A value of JSON as text. */
export function jsonTextOf(value: unknown): string {
  return written?.get(value) ?? JSON.stringify(value);
}

/** Writes the values in steps, then does at once what would write them. @param length of what they come of */
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
