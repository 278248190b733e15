/**
 * Requests and answers are translated at once, and within them stand texts of JSON: the arguments of calls, and what tools
 * gave back. Where they are many or long, they are read in steps before.
 */
import type { Steps } from '../turns.ts';
import type { JsonBounds } from './json-steps.ts';
import { areNumbersExact } from './json-numbers.ts';
import { parseInSteps } from './json-steps.ts';

/** Texts of so many characters together are read when they are needed. */
const SHORT = 64 * 1024;

/** Characters of short texts that are read between two pauses. */
const STRIDE = 256 * 1024;

/** What a text holds. */
interface Read {
  /** `undefined` when it is no JSON. */
  readonly value: unknown;
  /** Whether its numbers are what they were. */
  readonly exact: boolean;
}

/** What was read before the work that is being done. */
let read: ReadonlyMap<string, Read> | undefined;

/** What a text holds that was read already. */
export function readBefore(text: string): Read | undefined {
  return read?.get(text);
}

/** Reads the texts in steps, then does at once what would read them. What it is given is shared, and may not be changed. */
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
