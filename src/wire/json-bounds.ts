/** Limits on the complexity of JSON. */
export interface JsonBounds {
  /** The nesting depth of objects and lists. */
  readonly maxDepth: number;
  /** The number of values, including nested ones. */
  readonly maxValues: number;
  /** The number of objects and of their fields. */
  readonly maxFields: number;
  /**
   * The number of fields of a single object: copying one or listing its names cannot be interrupted, and takes ten times
   * as long if the names are numbers.
   */
  readonly maxObjectFields: number;
}

/** The names of the limits in messages. */
export const KINDS: Readonly<Record<keyof JsonBounds, string>> = {
  maxDepth: 'levels of objects and lists',
  maxValues: 'values',
  maxFields: 'objects and fields',
  maxObjectFields: 'fields in one object',
};

/** Thrown when JSON exceeds a limit. */
export class TooComplex extends Error {
  readonly bound: keyof JsonBounds;

  constructor(bound: keyof JsonBounds) {
    super(`Cannot read JSON beyond its bounds: ${bound}`);
    this.bound = bound;
  }
}

/** Thrown when a name or number in JSON is so long that parsing it would block the event loop. */
export class TooLong extends Error {
  constructor(what: string, characters: number) {
    super(`${what} of more than ${characters} characters`);
  }
}
