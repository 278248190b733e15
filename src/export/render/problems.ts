/** Helpers for checkers: problems are texts, each with a path within the row. */
import { isObject, parseJson } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';

export type Problems = string[];

/** Keys of an object that are not known. */
export function unknownKeys(value: JsonObject, known: readonly string[], path: string): Problems {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${at(path, key)}: unknown key`);
}

export function at(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** The items of a list of objects that must not be empty. */
export function objectsIn(
  value: unknown,
  path: string,
): { readonly items: JsonObject[]; readonly problems: Problems } {
  if (!Array.isArray(value)) return { items: [], problems: [`${path}: expected a list`] };
  if (value.length === 0) return { items: [], problems: [`${path}: is empty`] };
  const problems = value.flatMap((item, index) =>
    isObject(item) ? [] : [`${path}[${index}]: expected an object`],
  );
  return { items: value.filter(isObject), problems };
}

export function textProblems(value: unknown, path: string): Problems {
  if (typeof value !== 'string') return [`${path}: expected a text`];
  return value.trim() === '' ? [`${path}: is blank`] : [];
}

/** Whether it is the JSON text of an object. */
export function isObjectText(value: unknown): boolean {
  return typeof value === 'string' && isObject(parseJson(value));
}
