import type { JsonObject } from '../json.ts';
import { ProxyError } from '../../errors.ts';
import { isObject } from '../json.ts';

/** @param param the field in the API's notation: `messages.0.content.1.text` */
export function wrong(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}

/** @throws ProxyError `invalid_request` */
export function textAt(object: JsonObject, key: string, at: string): string {
  const value = object[key];
  if (typeof value === 'string') return value;
  throw wrong(under(at, key), value === undefined ? 'field required' : 'expected a string');
}

/** A non-empty text. @throws ProxyError `invalid_request` */
export function nameAt(object: JsonObject, key: string, at: string): string {
  const value = textAt(object, key, at);
  if (value === '') throw wrong(under(at, key), 'expected at least one character');
  return value;
}

/** @throws ProxyError `invalid_request` */
export function objectAt(object: JsonObject, key: string, at: string): JsonObject {
  const value = object[key];
  if (isObject(value)) return value;
  throw wrong(under(at, key), value === undefined ? 'field required' : 'expected an object');
}

/** A list of objects, each with a `type` if `typed` is set. @throws ProxyError `invalid_request` */
export function objectsAt(value: unknown, at: string, typed: boolean): JsonObject[] {
  if (!Array.isArray(value)) throw wrong(at, 'expected a list');
  return value.map((item: unknown, index) => {
    if (!isObject(item)) throw wrong(`${at}.${index}`, 'expected an object');
    if (typed) nameAt(item, 'type', `${at}.${index}`);
    return item;
  });
}

/** An optional number; `null` counts as missing. @throws ProxyError `invalid_request` */
export function numberIn(
  object: JsonObject,
  key: string,
  { at = '', min = 0, max = Infinity, whole = false }: NumberRule,
): number | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  const param = under(at, key);
  if (typeof value !== 'number' || (whole && !Number.isInteger(value))) {
    throw wrong(param, whole ? 'expected a whole number' : 'expected a number');
  }
  if (value < min) throw wrong(param, `must be greater than or equal to ${min}`);
  if (value > max) throw wrong(param, `must be less than or equal to ${max}`);
  return value;
}

export interface NumberRule {
  readonly at?: string;
  readonly min?: number;
  readonly max?: number;
  readonly whole?: boolean;
}

/** @throws ProxyError `invalid_request` */
export function flagIn(object: JsonObject, key: string, at: string): boolean {
  const value = object[key];
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  throw wrong(under(at, key), 'expected true or false');
}

function under(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`;
}
