/**
 * Requests and answers are translated synchronously, and contain texts that are JSON: the arguments of calls, and the
 * results of tools. If these are many or long, they are parsed in steps beforehand.
 */
import type { Steps } from '../turns.ts';
import type { JsonBounds } from './json-bounds.ts';
import { areNumbersExact } from './json-numbers.ts';
import { parseInSteps } from './json-steps.ts';

/** Below this total length texts are parsed when they are needed, characters. */
const SHORT = 64 * 1024;

/** How many characters of short texts are parsed between two pauses. */
const STRIDE = 256 * 1024;

/** A parsed text. */
interface Read {
  /** `undefined` when it is not JSON. */
  readonly value: unknown;
  /** Whether its numbers were parsed without loss. */
  readonly exact: boolean;
}

/** The texts parsed for the current synchronous work. */
let read: ReadonlyMap<string, Read> | undefined;

/** The value of a text that was already parsed. */
export function readBefore(text: string): Read | undefined {
  return read?.get(text);
}

/** Parses the texts in steps, then runs the work that uses them. The values are shared and must not be changed. */
export function* readingFirst<T>(texts: readonly string[], bounds: JsonBounds, work: () => T): Steps<T> {
  if (texts.reduce((length, text) => length + text.length, 0) <= SHORT) return work();
  const values = new Map<string, Read>();
  let left = STRIDE;
  for (const text of texts) {
    if (!values.has(text)) values.set(text, yield* readOne(text, bounds));
    left -= text.length;
    if (left > 0) continue;
    yield;
    left = STRIDE;
  }
  const before = read;
  read = values;
  try {
    return work();
  } finally {
    read = before;
  }
}

function* readOne(text: string, bounds: JsonBounds): Steps<Read> {
  try {
    const value = yield* parseInSteps(text, bounds);
    return { value, exact: areNumbersExact(text) };
  } catch {
    return { value: undefined, exact: false };
  }
}
