import { REDACT_KINDS } from './redact-kinds.ts';

/** A pattern of the operator's own. */
export interface CustomPattern {
  readonly name: string;
  /** Source of a JavaScript regular expression. */
  readonly pattern: string;
}

/** Reads NAME=REGEX. @throws Error in words when it is none, or would match nothing at all everywhere */
export function customPattern(text: string): CustomPattern {
  const [, name, pattern] = /^([A-Za-z][A-Za-z0-9_]{0,31})=(.+)$/s.exec(text) ?? [];
  if (name === undefined || pattern === undefined) throw new Error('expected NAME=REGEX');
  if ((REDACT_KINDS as readonly string[]).includes(name)) throw new Error(`${name} is a built-in kind`);
  if (new RegExp(pattern, 'gu').test('')) throw new Error('it matches the empty text');
  return { name, pattern };
}
