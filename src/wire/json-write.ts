import type { Steps } from '../turns.ts';
import { wholeBefore } from './bytes.ts';
import { isObject } from './json.ts';

/** Values that are written between two pauses. */
const STRIDE = 2_000;

/** Characters of a text that are written at once. */
const LONG_TEXT = 4 * 1024 * 1024;

/** Containers further in are written at once. */
const MAX_DEPTH = 16;

/** JSON text of a value, in steps of a few milliseconds; the same as JSON.stringify makes. */
export function* stringifyInSteps(value: unknown): Steps<string> {
  const pieces: string[] = [];
  yield* write(value, MAX_DEPTH, pieces);
  return pieces.join('');
}

function* write(value: unknown, depth: number, pieces: string[]): Steps<void> {
  if (typeof value === 'string' && value.length > LONG_TEXT) yield* writeText(value, pieces);
  else if (depth === 0 || !(Array.isArray(value) || isObject(value))) {
    pieces.push(JSON.stringify(value) ?? 'null');
  } else if (Array.isArray(value)) yield* writeList(value, depth, pieces);
  else {
    let lead = '{';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      pieces.push(`${lead}${JSON.stringify(name)}:`);
      lead = ',';
      yield* write(member, depth - 1, pieces);
    }
    pieces.push(lead === '{' ? '{}' : '}');
  }
}

function* writeText(text: string, pieces: string[]): Steps<void> {
  pieces.push('"');
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = wholeBefore(text, at + LONG_TEXT);
    pieces.push(JSON.stringify(text.slice(at, end)).slice(1, -1));
    yield;
  }
  pieces.push('"');
}

function* writeList(list: readonly unknown[], depth: number, pieces: string[]): Steps<void> {
  pieces.push('[');
  for (let at = 0; at < list.length; at += STRIDE) {
    const part = list.slice(at, at + STRIDE);
    if (at > 0) pieces.push(',');
    if (part.some((member) => typeof member === 'object' && member !== null)) {
      for (const [index, member] of part.entries()) {
        if (index > 0) pieces.push(',');
        yield* write(member, depth - 1, pieces);
      }
    } else pieces.push(JSON.stringify(part).slice(1, -1));
    yield;
  }
  pieces.push(']');
}
