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
  const values = yield* readAll(texts, bounds);
  return values ? withRead(values, work) : work();
}

/** The same for work that is done in steps. */
export function* readingFirstInSteps<T>(
  texts: readonly string[],
  bounds: JsonBounds,
  work: Steps<T>,
): Steps<T> {
  const values = yield* readAll(texts, bounds);
  if (!values) return yield* work;
  for (;;) {
    const step = withRead(values, () => work.next());
    if (step.done) return step.value;
    yield;
  }
}

/** The values of the texts; `undefined` if they are so short that they may be parsed when they are needed. */
function* readAll(
  texts: readonly string[],
  bounds: JsonBounds,
): Steps<ReadonlyMap<string, Read> | undefined> {
  if (texts.reduce((length, text) => length + text.length, 0) <= SHORT) return undefined;
  const values = new Map<string, Read>();
  let left = STRIDE;
  for (const text of texts) {
    if (!values.has(text)) values.set(text, yield* readOne(text, bounds));
    left -= text.length;
    if (left > 0) continue;
    yield;
    left = STRIDE;
  }
  return values;
}

function withRead<T>(values: ReadonlyMap<string, Read>, work: () => T): T {
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
