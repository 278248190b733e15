/** How fields of a client's request are read: as leniently as protocol buffers' JSON, and strictly otherwise. */
import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject } from '../json.ts';

/** @param param the field in the API's notation: `contents[0].parts[1].text` */
export function wrong(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}

/** The other spelling of each known field name. */
const SPELLINGS = new Map<string, string>();

/** A field by its name, in either of the two spellings of protocol buffers' JSON; `null` counts as missing. */
export function fieldOf(object: JsonObject, name: string): unknown {
  const value = object[name] ?? object[snakeCase(name)];
  return value === null ? undefined : value;
}

function snakeCase(name: string): string {
  let other = SPELLINGS.get(name);
  if (other === undefined) {
    other = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    SPELLINGS.set(name, other);
  }
  return other;
}

/** A client's field name in the spelling of the reference. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The non-empty fields that are unknown, in the spelling of the reference. */
export function unknownIn(object: JsonObject, known: ReadonlySet<string>): string[] {
  return Object.keys(object)
    .filter((key) => object[key] !== null && !known.has(camelCase(key)))
    .map(camelCase);
}

/** @throws ProxyError `invalid_request` */
export function textIn(object: JsonObject, name: string, at: string): string | undefined {
  const value = fieldOf(object, name);
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(under(at, name), 'expected a string');
}

/** A required, non-empty text. @throws ProxyError `invalid_request` */
export function nameIn(object: JsonObject, name: string, at: string): string {
  const value = textIn(object, name, at);
  if (value) return value;
  throw wrong(under(at, name), value === undefined ? 'it is missing' : 'expected at least one character');
}

/** @throws ProxyError `invalid_request` */
export function objectIn(object: JsonObject, name: string, at: string): JsonObject | undefined {
  const value = fieldOf(object, name);
  if (value === undefined || isObject(value)) return value;
  throw wrong(under(at, name), 'expected an object');
}

/**
 * A list of objects; a single object counts as a list of one, as in the reference's examples. @throws ProxyError
 * `invalid_request`
 */
export function objectsIn(object: JsonObject, name: string, at: string): JsonObject[] {
  const value = fieldOf(object, name);
  if (value === undefined) return [];
  if (isObject(value)) return [value];
  if (!Array.isArray(value)) throw wrong(under(at, name), 'expected a list');
  return value.map((item: unknown, index) => {
    if (isObject(item)) return item;
    throw wrong(`${under(at, name)}[${index}]`, 'expected an object');
  });
}

/** A list of texts. @throws ProxyError `invalid_request` */
export function textsIn(object: JsonObject, name: string, at: string): string[] {
  const value = fieldOf(object, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(under(at, name), 'expected a list');
  return value.map((item: unknown, index) => {
    if (typeof item === 'string') return item;
    throw wrong(`${under(at, name)}[${index}]`, 'expected a string');
  });
}

export interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  readonly whole?: boolean;
}

/** A number, which may be given as text. @throws ProxyError `invalid_request` */
export function numberIn(
  object: JsonObject,
  name: string,
  at: string,
  { min = -Infinity, max = Infinity, whole = false }: NumberRule = {},
): number | undefined {
  const given = fieldOf(object, name);
  if (given === undefined) return undefined;
  const param = under(at, name);
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof value !== 'number' || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
    throw wrong(param, whole ? 'expected a whole number' : 'expected a number');
  if (value < min || value > max) throw wrong(param, `expected a number ${boundsIn(min, max)}`);
  return value;
}

function boundsIn(min: number, max: number): string {
  if (max === Infinity) return `of ${min} or more`;
  return min === -Infinity ? `of ${max} or less` : `from ${min} to ${max}`;
}

/** @throws ProxyError `invalid_request` */
export function flagIn(object: JsonObject, name: string, at: string): boolean | undefined {
  const value = fieldOf(object, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(under(at, name), 'expected true or false');
}

/** A value of an enumeration, which the API writes in capitals. @throws ProxyError `invalid_request` */
export function wordIn(object: JsonObject, name: string, at: string): string | undefined {
  return textIn(object, name, at)?.toUpperCase();
}

export function under(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
