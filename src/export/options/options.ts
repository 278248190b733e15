/**
 * Merges command line, environment and configuration: flags override the environment, which overrides the
 * configuration.
 */
import type { OptionName, OptionValues } from '../../config/export/options.ts';
import type { ExportSection } from '../../config/export/section.ts';
import type { GivenOptions, GivenValue } from './flags.ts';
import { configKeyOf, OPTION_NAMES, OPTIONS, variableOf } from '../../config/export/options.ts';
import { ExportError } from '../errors.ts';
import { configuredOptions } from './flags.ts';

export interface OptionSources {
  readonly flags: GivenOptions;
  readonly env: GivenOptions;
  /** The configuration's `export` section. */
  readonly config?: ExportSection;
}

/** The options of one export, each with its value and its source. */
export class Options {
  readonly #flags: GivenOptions;
  readonly #env: GivenOptions;
  readonly #config: GivenOptions;
  readonly #values: OptionValues;

  /** @throws ExportError of kind `usage` that names the source of an invalid value */
  constructor({ flags, env, config }: OptionSources) {
    this.#flags = flags;
    this.#env = env;
    this.#config = configuredOptions(section(config));
    this.#values = Object.fromEntries(
      OPTION_NAMES.map((name) => [name, this.#read(name)]),
    ) as unknown as OptionValues;
  }

  /** The value of an option: as given, or its default. */
  value<Name extends OptionName>(name: Name): OptionValues[Name] {
    return this.#values[name];
  }

  /** Whether an option was given anywhere. */
  given(name: OptionName): boolean {
    return this.#given(name) !== undefined;
  }

  /** Whether an option was given on the command line; the environment and the configuration apply to all formats. */
  typed(name: OptionName): boolean {
    return (this.#flags.values[name] ?? false) !== false;
  }

  /** The inputs from the first source that names some: the command line, the environment, or the configuration. */
  get inputs(): readonly string[] | undefined {
    return [this.#flags, this.#env, this.#config].find(({ inputs }) => inputs.length > 0)?.inputs;
  }

  /** An error about a value, with its source. */
  wrong(name: OptionName, why: string, options: ErrorOptions = {}): ExportError {
    return this.#wrong(name, this.text(name), why, options);
  }

  /** An option as it was given, for messages. */
  text(name: OptionName): string {
    return String(this.#given(name));
  }

  /** The name of an option in messages, which shows its source. */
  source(name: OptionName): string {
    if (this.#flags.values[name] !== undefined) return `--${name}`;
    if (this.#env.values[name] !== undefined) return variableOf(name);
    return `export.${configKeyOf(name)}`;
  }

  /** All options in one order: those on the command line, and those from elsewhere, as given. */
  get all(): { readonly typed: GivenOptions['values']; readonly others: GivenOptions['values'] } {
    const given = OPTION_NAMES.flatMap((name) => {
      const value = this.#given(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    const isTyped = ([name]: readonly [OptionName, GivenValue]) => this.#flags.values[name] !== undefined;
    return {
      typed: Object.fromEntries(given.filter(isTyped)),
      others: Object.fromEntries(given.filter((one) => !isTyped(one))),
    };
  }

  #given(name: OptionName): GivenValue | undefined {
    const config = name === 'output' ? undefined : this.#config.values[name];
    return this.#flags.values[name] ?? this.#env.values[name] ?? config;
  }

  #read(name: OptionName): unknown {
    const { kind, fallback } = OPTIONS[name];
    const given = this.#given(name);
    if (given === undefined) return fallback;
    if (typeof given === 'boolean') return given;
    const read = (text: string): unknown => {
      const value = kind.read(text);
      if (value === undefined) throw this.#wrong(name, text, `expected ${kind.expected}`);
      return value;
    };
    if (kind.form !== 'list') return read(String(given));
    return (typeof given === 'string' ? [given] : given).map(read);
  }

  #wrong(name: OptionName, text: string, why: string, options: ErrorOptions = {}): ExportError {
    return new ExportError('usage', `Cannot use ${this.source(name)} ${text}: ${why}`, options);
  }
}

function section(config: ExportSection = {}): [OptionName, unknown][] {
  return OPTION_NAMES.flatMap((name): [OptionName, unknown][] => {
    const value = config[configKeyOf(name)];
    return value === undefined ? [] : [[name, value]];
  });
}
