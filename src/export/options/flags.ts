/** Reads options from the command line, the environment and the configuration, as texts. */
import { parseArgs } from 'node:util';
import type { OptionName } from '../../config/export/options.ts';
import { OPTION_NAMES, OPTIONS, variableOf } from '../../config/export/options.ts';
import { itemsIn } from '../../config/export/kinds.ts';
import { nearest } from '../../config/suggest.ts';
import { ExportError } from '../errors.ts';

export type GivenValue = string | boolean | readonly string[];

/** The options that were given in one of these places. */
export interface GivenOptions {
  readonly values: Readonly<Partial<Record<OptionName, GivenValue>>>;
  /** Positional inputs and `--log-file`, in order. */
  readonly inputs: readonly string[];
}

/**
 * Parses the arguments of `llmproxy export`.
 * @throws ExportError of kind `usage` for unknown flags and missing values
 */
export function parseFlags(args: readonly string[]): GivenOptions {
  const { tokens } = parseArgs({
    args: [...args],
    options: PARSE,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const given = new Given();
  for (const token of tokens) {
    if (token.kind === 'positional') given.inputs.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') && token.rawName.startsWith('--');
    const name = knownName(negated ? token.name.slice(3) : token.name, token.rawName);
    given.set(name, isSwitch(name) ? switchValue(token, negated) : textValue(token, negated));
  }
  return given;
}

/** Reads options from the environment: `LLMPROXY_EXPORT_MAX_RECORDS` for `--max-records`. Empty values are ignored. */
export function environmentOptions(env: Readonly<Record<string, string | undefined>>): GivenOptions {
  const given = new Given();
  for (const name of OPTION_NAMES) {
    const variable = variableOf(name);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    given.set(name, isSwitch(name) ? boolean(text, variable) : text);
  }
  return given;
}

/** Reads options from the `export` section of the configuration, by option name. */
export function configuredOptions(values: Iterable<readonly [OptionName, unknown]>): GivenOptions {
  const given = new Given();
  for (const [name, value] of values)
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value])
      given.set(name, typeof one === 'boolean' ? one : String(one));
  return given;
}

class Given implements GivenOptions {
  readonly values: Partial<Record<OptionName, GivenValue>> = {};
  readonly inputs: string[] = [];

  set(name: OptionName, value: string | boolean): void {
    const { kind } = OPTIONS[name];
    if (name === 'log-file') this.inputs.push(String(value));
    else if (kind.form !== 'list') this.values[name] = value;
    else {
      const before = (this.values[name] as readonly string[] | undefined) ?? [];
      this.values[name] = [...before, ...itemsIn(String(value), kind)];
    }
  }
}

function isSwitch(name: OptionName): boolean {
  return OPTIONS[name].kind.form === 'switch';
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string;
  /** Written as --flag=value. */
  readonly inlineValue?: boolean;
}

const PARSE = Object.fromEntries(
  OPTION_NAMES.map((name) => {
    const { short } = OPTIONS[name];
    const type = isSwitch(name) ? ('boolean' as const) : ('string' as const);
    return [name, { type, ...(short ? { short } : {}) }];
  }),
);

function knownName(name: string, raw: string): OptionName {
  if (Object.hasOwn(OPTIONS, name)) return name as OptionName;
  const [near] = nearest(name, OPTION_NAMES, 1);
  const guess = near ? `, did you mean --${near}?` : '; see llmproxy export --help';
  throw new ExportError('usage', `Cannot use ${raw}: there is no such flag${guess}`);
}

function switchValue({ rawName, value }: OptionToken, negated: boolean): boolean {
  if (negated && value !== undefined)
    throw new ExportError('usage', `Cannot use ${rawName}=${value}: it takes no value`);
  return negated ? false : value === undefined || boolean(value, rawName);
}

function textValue({ rawName, value, inlineValue }: OptionToken, negated: boolean): string {
  if (negated) throw new ExportError('usage', `Cannot use ${rawName}: only switches can be turned off`);
  // "--output --force" has a missing value, rather than a file of that name; "--output=--force" would have one.
  const forgotten = !inlineValue && /^--?[a-z]/i.test(value ?? '');
  if (value === undefined || value === '' || forgotten)
    throw new ExportError('usage', `Cannot use ${rawName}: it needs a value`);
  return value;
}

function boolean(text: string, name: string): boolean {
  const { read, expected } = OPTIONS.force.kind;
  const value = read(text);
  if (typeof value === 'boolean') return value;
  throw new ExportError('usage', `Cannot use ${name}=${text}: expected ${expected}`);
}
