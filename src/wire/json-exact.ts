/**
 * Preserves integers beyond 2^53: if JSON contains some, it is parsed in such a way that each is written again with the
 * same digits. They are not numbers then, and nothing here computes with them: they occur in the arguments of calls.
 */
import { hasLongInteger } from './json-numbers.ts';

/** Longer texts are not parsed a second time, characters. */
const MOST = 1024 * 1024;

const WHOLE = /^-?\d+$/;

/** The parts of JSON.parse and JSON that TypeScript does not know yet. @see https://tc39.es/proposal-json-parse-with-source */
const { parse, rawJSON } = JSON as unknown as {
  parse(
    text: string,
    revive: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
};

/**
 * Parses JSON text, with integers that are written again with the same digits.
 * @param value the result of an ordinary parse, which nearly always suffices
 */
export function exactly<T>(text: string, value: T): T {
  if (text.length > MOST || !hasLongInteger(text)) return value;
  return parse(text, (_name, member, { source }) => {
    const isOther = typeof member === 'number' && WHOLE.test(source ?? '') && String(member) !== source;
    return isOther ? rawJSON(source!) : member;
  }) as T;
}
