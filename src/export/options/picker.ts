/** Flags, environment and configuration as one: a flag goes before the environment, and that before the configuration. */
import type { FlagName, FlagValue, GivenFlags } from './flags.ts';
import { ExportError } from '../errors.ts';
import { variableOf } from './flags.ts';

export interface Sources {
  readonly flags: GivenFlags;
  readonly env: GivenFlags;
  /** Values of the configuration's `export` section, by flag. */
  readonly config: Readonly<Partial<Record<FlagName, FlagValue>>>;
}

/** Reads values, each by its kind. Whatever makes no sense is an ExportError of kind `usage` that names its source. */
export class Picker {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Whether somebody said anything. */
  given(name: FlagName): boolean {
    return this.#value(name) !== undefined;
  }

  /** Whether the command line asks for it; the environment and the configuration speak to all formats. */
  typed(name: FlagName): boolean {
    return (this.#sources.flags.values[name] ?? false) !== false;
  }

  on(name: FlagName): boolean {
    return this.#value(name) === true;
  }

  text(name: FlagName): string | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : String(value);
  }

  list(name: FlagName): readonly string[] {
    const value = this.#value(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [String(value)];
  }

  oneOf<Word extends string>(name: FlagName, words: readonly Word[]): Word | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw this.wrong(name, `expected ${orList(words)}`);
  }

  /** A whole number of at least `least`. */
  whole(name: FlagName, least: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && Number.isSafeInteger(number)) return number;
    throw this.wrong(name, `expected a whole number from ${least}`);
  }

  /** A number between two. */
  number(name: FlagName, least: number, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() !== '' && number >= least && number <= most) return number;
    throw this.wrong(
      name,
      most === Infinity ? `expected a number from ${least}` : `expected a number from ${least} to ${most}`,
    );
  }

  /** A value read by a function that gives `undefined` for what it cannot read. */
  read<Value>(
    name: FlagName,
    read: (text: string) => Value | undefined,
    expected: string,
  ): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = read(text);
    if (value === undefined) throw this.wrong(name, `expected ${expected}`);
    return value;
  }

  /** What is wrong with a value, as an error that names it and where it comes from. */
  wrong(name: FlagName, why: string): ExportError {
    return new ExportError('usage', `Cannot use ${this.source(name)} ${this.text(name)}: ${why}`);
  }

  /** What to call a value in a message. */
  source(name: FlagName): string {
    if (this.#sources.flags.values[name] !== undefined) return `--${name}`;
    if (this.#sources.env.values[name] !== undefined) return variableOf(name);
    return `export.${name.replaceAll('-', '_')}`;
  }

  #value(name: FlagName): FlagValue | undefined {
    const { flags, env, config } = this.#sources;
    return flags.values[name] ?? env.values[name] ?? config[name];
  }
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
