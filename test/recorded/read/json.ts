/**
 * JSON functions for reading recordings: written independently, since the checks must not use the code that they check.
 */

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The objects in a list. */
export function objectsOf(value: unknown): Json[] {
  return listOf(value).filter(isObject);
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const wholeDigits: Reviver = (_, value, context) => {
  const source = context?.source ?? '';
  const isLarge = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
  return isLarge ? BigInt(source) : value;
};

/** The value of a JSON text; `undefined` if it is invalid. */
export function parseJson(text: string): unknown {
  return parsed(text);
}

/** The same, but integers beyond 2^53 become BigInt, so that a lost digit is noticed. */
export function exactJson(text: string): unknown {
  return parsed(text, wholeDigits);
}

function parsed(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver) as unknown;
  } catch {
    return undefined;
  }
}

/** A value for people, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)) as
    string | undefined;
  return (text ?? 'nothing').slice(0, 160);
}
