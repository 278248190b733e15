/** The content of another program's configuration, with a record of what has not been used yet. */
import { CREDENTIAL_NAMES } from './secrets.ts';

/** A value that was not converted. */
export interface Left {
  /** For example `router_settings.redis_host`. */
  readonly path: string;
  /** The value if it may be shown, otherwise `undefined`. */
  readonly shown: string | undefined;
}

/** An object in the file. Reading a field marks it as used, unless its type is unexpected. */
export class Given {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #taken = new Set<string>();
  readonly #parts = new Map<string, readonly Given[]>();
  /** Lists that contain other values besides objects. */
  readonly #strange = new Set<string>();

  constructor(value: unknown, path = '') {
    this.path = path;
    this.#value = isObject(value) ? value : {};
  }

  get keys(): readonly string[] {
    return Object.keys(this.#value);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key) && this.#value[key] !== null;
  }

  /** A text, or a number as text; `undefined` if it is missing or of another type. */
  text(...keys: readonly string[]): string | undefined {
    const value = this.#first(keys, (each) => ['string', 'number'].includes(typeof each));
    return value === undefined ? undefined : String(value);
  }

  /** A number, or a text that contains one. */
  number(...keys: readonly string[]): number | undefined {
    const value = this.#first(keys, (each) => numberIn(each) !== undefined);
    return value === undefined ? undefined : numberIn(value);
  }

  flag(...keys: readonly string[]): boolean | undefined {
    const value = this.#first(keys, (each) => flagIn(each) !== undefined);
    return value === undefined ? undefined : flagIn(value);
  }

  /** The texts in a list; a single text counts as a list of one. */
  texts(...keys: readonly string[]): string[] | undefined {
    const isTexts = (each: unknown) => [each].flat().every((item) => typeof item === 'string');
    const value = this.#first(keys, isTexts);
    return value === undefined ? undefined : ([value].flat() as string[]);
  }

  /** Any value, unchanged. */
  any(key: string): unknown {
    return this.#first([key], () => true);
  }

  /** A nested object; `undefined` if there is none. */
  part(key: string): Given | undefined {
    return isObject(this.#value[key]) ? this.#partsOf(key, [this.#value[key]], '')[0] : undefined;
  }

  /** The objects in a nested list; its other items count as unused. */
  list(key: string): readonly Given[] {
    const value = this.#value[key];
    if (!Array.isArray(value)) return [];
    const strange = value.some((each) => !isObject(each));
    if (strange) this.#strange.add(key);
    return value.some(isObject) || value.length === 0 ? this.#partsOf(key, value.filter(isObject), '[]') : [];
  }

  /** The objects in a map whose keys are chosen by the user. */
  named(): readonly (readonly [string, Given])[] {
    return this.keys.flatMap((key) => {
      const part = this.part(key);
      return part ? [[key, part] as const] : [];
    });
  }

  /** Marks values as used: they are not needed, or were mentioned elsewhere. */
  skip(...keys: readonly string[]): void {
    for (const key of keys) this.#taken.add(key);
  }

  /** Everything that has not been used. */
  left(): Left[] {
    return this.keys.flatMap((key) => {
      if (this.#taken.has(key)) return [];
      const parts = this.#parts.get(key);
      const others = this.#strange.has(key) ? [{ path: `${join(this.path, key)}[]`, shown: undefined }] : [];
      if (parts) return [...parts.flatMap((part) => part.left()), ...others];
      return [{ path: join(this.path, key), shown: shownValue(join(this.path, key), this.#value[key]) }];
    });
  }

  #first(keys: readonly string[], test: (value: unknown) => boolean): unknown {
    const key = keys.find((each) => this.has(each) && test(this.#value[each]));
    if (key === undefined) return undefined;
    this.#taken.add(key);
    return this.#value[key];
  }

  #partsOf(key: string, values: readonly unknown[], suffix: string): readonly Given[] {
    const found = this.#parts.get(key);
    if (found) return found;
    const parts = values.map((value) => new Given(value, join(this.path, key) + suffix));
    this.#parts.set(key, parts);
    return parts;
  }
}

/** Programs in Python read YAML 1.1, in which 20_000 is a number. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === 'boolean' || value === '') return undefined;
  const number = Number(typeof value === 'string' ? value.replaceAll(/(?<=\d)_(?=\d)/g, '') : value);
  return Number.isFinite(number) ? number : undefined;
}

/** And `yes` is a boolean. */
function flagIn(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (/^(?:yes|on|true)$/i.test(value)) return true;
  return /^(?:no|off|false)$/i.test(value) ? false : undefined;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Shows numbers and short words: anything longer may be a secret, or part of one. */
function shownValue(path: string, value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (CREDENTIAL_NAMES.test(path)) return undefined;
  const texts = [value].flat();
  const isShort = (each: unknown) => typeof each === 'string' && /^[a-z][a-z_.-]{0,24}$/i.test(each);
  return texts.length > 0 && texts.length <= 5 && texts.every(isShort) ? texts.join(', ') : undefined;
}
