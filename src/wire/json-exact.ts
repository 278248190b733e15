/**
 * Whole numbers beyond 2^53 keep their digits: where JSON has some, it is read so that each of them is written again as it
 * came. As values they are no numbers then, and nothing here counts with them: they stand in what calls are given.
 */
import { hasLongInteger } from './json-numbers.ts';

/** A longer text is not read a second time, characters. */
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
 * What JSON text holds, with whole numbers that are written as they came.
 * @param value what it holds otherwise, which serves in nearly all cases
 */
export function exactly<T>(text: string, value: T): T {
  if (text.length > MOST || !hasLongInteger(text)) return value;
  return parse(text, (_name, member, { source }) => {
    const isOther = typeof member === 'number' && WHOLE.test(source ?? '') && String(member) !== source;
    return isOther ? rawJSON(source!) : member;
  }) as T;
}
