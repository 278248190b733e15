/** What another program's configuration says, and what of it nobody has looked at yet. */
import { CREDENTIAL_NAMES } from './secrets.ts';

/** A value that was not taken over. */
export interface Left {
  /** Such as `router_settings.redis_host`. */
  readonly path: string;
  /** The value as it may be shown; `undefined` where it may not. */
  readonly shown: string | undefined;
}

/** An object of the file. What is asked of it counts as looked at; a value of an unexpected kind does not. */
export class Given {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #taken = new Set<string>();
  readonly #parts = new Map<string, readonly Given[]>();
  /** Lists that have other values among their objects. */
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

  /** A text, or a number as one; `undefined` where it is missing or something else. */
  text(...keys: readonly string[]): string | undefined {
    const value = this.#first(keys, (each) => ['string', 'number'].includes(typeof each));
    return value === undefined ? undefined : String(value);
  }

  /** A number, or a text that is one. */
  number(...keys: readonly string[]): number | undefined {
    const value = this.#first(
      keys,
      (each) => each !== '' && Number.isFinite(Number(each)) && typeof each !== 'boolean',
    );
    return value === undefined ? undefined : Number(value);
  }

  flag(...keys: readonly string[]): boolean | undefined {
    return this.#first(keys, (each) => typeof each === 'boolean') as boolean | undefined;
  }

  /** Texts of a list; a single text counts as a list of one. */
  texts(...keys: readonly string[]): string[] | undefined {
    const isTexts = (each: unknown) => [each].flat().every((item) => typeof item === 'string');
    const value = this.#first(keys, isTexts);
    return value === undefined ? undefined : ([value].flat() as string[]);
  }

  /** Any value as it is. */
  any(key: string): unknown {
    return this.#first([key], () => true);
  }

  /** An object below; `undefined` where there is none. */
  part(key: string): Given | undefined {
    return isObject(this.#value[key]) ? this.#partsOf(key, [this.#value[key]], '')[0] : undefined;
  }

  /** The objects of a list below; what else is in it counts as not looked at. */
  list(key: string): readonly Given[] {
    const value = this.#value[key];
    if (!Array.isArray(value)) return [];
    const strange = value.some((each) => !isObject(each));
    if (strange) this.#strange.add(key);
    return value.some(isObject) || value.length === 0 ? this.#partsOf(key, value.filter(isObject), '[]') : [];
  }

  /** The objects that stand under names of the user's own. */
  named(): readonly (readonly [string, Given])[] {
    return this.keys.flatMap((key) => {
      const part = this.part(key);
      return part ? [[key, part] as const] : [];
    });
  }

  /** Marks values as looked at: they are not needed, or were told of. */
  skip(...keys: readonly string[]): void {
    for (const key of keys) this.#taken.add(key);
  }

  /** Everything that nobody has looked at. */
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

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Numbers and short words: what is longer may be a secret, or a part of one. */
function shownValue(path: string, value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (CREDENTIAL_NAMES.test(path)) return undefined;
  const texts = [value].flat();
  const isShort = (each: unknown) => typeof each === 'string' && /^[a-z][a-z_.-]{0,24}$/i.test(each);
  return texts.length > 0 && texts.length <= 5 && texts.every(isShort) ? texts.join(', ') : undefined;
}
