/**
 * Structural checks of JSON values. They cover what this project and common clients read of an answer, and nothing
 * else: vendors omit fields, add others, and send `null` for missing values.
 */
import { countOf, isObject, numberOf } from '../json.ts';

/**
 * What is wrong with a value: a path and the expectation, such as `.choices[0].message: expected an object`;
 * `undefined` when it is valid.
 */
export type Shape = (value: unknown) => string | undefined;

export const text: Shape = (value) => (typeof value === 'string' ? undefined : ': expected a text');

/** A non-empty text, such as the name of a tool. */
export const word: Shape = (value) =>
  typeof value === 'string' && value !== '' ? undefined : ': expected a text that is not empty';

export const count: Shape = (value) => (countOf(value) === undefined ? ': expected a count' : undefined);

export const number: Shape = (value) => (numberOf(value) === undefined ? ': expected a number' : undefined);

/** Any object. */
export const object: Shape = (value) => (isObject(value) ? undefined : ': expected an object');

/** An object whose fields have these shapes. */
export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  const entries = Object.entries(shapes);
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    for (const [name, shape] of entries) {
      const flaw = shape(value[name]);
      if (flaw !== undefined) return `.${name}${flaw}`;
    }
    return undefined;
  };
}

/** A list whose items have this shape. @param least the minimum length */
export function list(shape: Shape, least = 0): Shape {
  return (value) => {
    if (!Array.isArray(value)) return ': expected a list';
    if (value.length < least) return ': expected a list that is not empty';
    for (let index = 0; index < value.length; index += 1) {
      const flaw = shape(value[index]);
      if (flaw !== undefined) return `[${index}]${flaw}`;
    }
    return undefined;
  };
}

/** A non-empty list of numbers: one with millions is checked without a call per number. */
export const numbers: Shape = (value) => {
  if (!Array.isArray(value)) return ': expected a list';
  if (value.length === 0) return ': expected a list that is not empty';
  for (let index = 0; index < value.length; index += 1)
    if (!Number.isFinite(value[index])) return `[${index}]: expected a number`;
  return undefined;
};

/** A non-empty list whose first and last items have this shape: for lists too long to check completely. */
export function ends(shape: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return ': expected a list';
    if (value.length === 0) return ': expected a list that is not empty';
    for (const index of new Set([0, value.length - 1])) {
      const flaw = shape(value[index]);
      if (flaw !== undefined) return `[${index}]${flaw}`;
    }
    return undefined;
  };
}

/** An object with at least one field, all of which have this shape or are `null`. */
export function each(shape: Shape): Shape {
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    const given = Object.entries(value).filter(([, field]) => field !== null);
    if (given.length === 0) return ': expected an object that is not empty';
    for (const [name, field] of given) {
      const flaw = shape(field);
      if (flaw !== undefined) return `.${name}${flaw}`;
    }
    return undefined;
  };
}

/** No value: it is missing, or `null`. */
export const nothing: Shape = (value) =>
  value === undefined || value === null ? undefined : ': expected no value';

/** An optional value, which may be missing or `null`. */
export function maybe(shape: Shape): Shape {
  return (value) => (value === undefined || value === null ? undefined : shape(value));
}

/** A value with one of two shapes. The reported problem is that of the last one. */
export function either(...shapes: readonly Shape[]): Shape {
  return (value) => {
    let flaw: string | undefined;
    for (const shape of shapes) {
      flaw = shape(value);
      if (flaw === undefined) return undefined;
    }
    return flaw;
  };
}

/** A value that has all of these shapes. */
export function both(...shapes: readonly Shape[]): Shape {
  return (value) => {
    for (const shape of shapes) {
      const flaw = shape(value);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  };
}

/** An object with a field that determines the shape of the others; unlisted kinds are not checked. */
export function kinds(field: string, shapes: Readonly<Record<string, Shape>>): Shape {
  const known = new Map(Object.entries(shapes));
  return (value) => {
    if (!isObject(value)) return ': expected an object';
    const kind = value[field];
    return typeof kind === 'string' ? known.get(kind)?.(value) : undefined;
  };
}
