/** The flags of `llmproxy export` as data: one table for parsing, the environment and the help text. */
import { parseArgs } from 'node:util';
import { nearest } from '../config/suggest.ts';
import { ExportError } from './error.ts';

export interface FlagSpec {
  readonly kind: 'text' | 'switch';
  readonly short?: string;
  readonly hint?: string;
  readonly description: string;
}

export const FLAGS = {
  'log-file': { kind: 'text', hint: 'path', description: 'Another input; may be repeated' },
  output: {
    kind: 'text',
    short: 'o',
    hint: 'path',
    description: 'File to write, - for stdout (default: stdout into a pipe, else exports/dataset.jsonl)',
  },
  force: { kind: 'switch', description: 'Replace the output file when it exists' },
  'max-records': { kind: 'text', hint: 'n', description: 'Stop after this many rows' },
  'successful-only': { kind: 'switch', description: 'Only complete, successful answers' },
  'export-all': { kind: 'switch', description: 'Whole records instead of conversations' },
  'start-date': { kind: 'text', hint: 'date', description: 'First day in UTC, YYYY-MM-DD, or an ISO time' },
  'end-date': { kind: 'text', hint: 'date', description: 'Last day, inclusive, or an ISO time' },
  'model-filter': { kind: 'text', hint: 'text', description: 'Part of the model name, in any case' },
  config: {
    kind: 'text',
    hint: 'path',
    description: 'Configuration file with an export section (default: ./config.yaml)',
  },
  verbose: { kind: 'switch', short: 'v', description: 'Name every bad line and every dropped record' },
  quiet: { kind: 'switch', short: 'q', description: 'No summary and no progress, only errors' },
  progress: {
    kind: 'text',
    hint: 'when',
    description: 'Show progress: auto (on a terminal), always or never',
  },
  'fail-empty': { kind: 'switch', description: 'Exit with 3 when no row was written' },
} as const satisfies Record<string, FlagSpec>;

export type FlagName = keyof typeof FLAGS;

/** Flags that were given: texts, switches, and `log-file` apart, because it may be given more than once. */
export interface GivenFlags {
  readonly values: Readonly<Partial<Record<FlagName, string | boolean>>>;
  /** Positional inputs and `--log-file`, in the order they came. */
  readonly inputs: readonly string[];
}

const NAMES = Object.keys(FLAGS) as FlagName[];

/**
 * Parses the arguments behind `llmproxy export`.
 * @throws ExportError of kind `usage` for unknown flags and missing values
 */
export function parseFlags(args: readonly string[]): GivenFlags {
  const { tokens } = parseArgs({
    args: [...args],
    options: PARSE,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Partial<Record<FlagName, string | boolean>> = {};
  const inputs: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') inputs.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') && token.rawName.startsWith('--');
    const name = knownName(negated ? token.name.slice(3) : token.name, token.rawName);
    const value = FLAGS[name].kind === 'switch' ? switchValue(token, negated) : textValue(token, negated);
    if (name === 'log-file') inputs.push(value as string);
    else values[name] = value;
  }
  return { values, inputs };
}

/** What the environment says: `LLMPROXY_EXPORT_MAX_RECORDS` for `--max-records`. An empty value says nothing. */
export function environmentFlags(env: Readonly<Record<string, string | undefined>>): GivenFlags {
  const values: Partial<Record<FlagName, string | boolean>> = {};
  const inputs: string[] = [];
  for (const name of NAMES) {
    const variable = variableOf(name);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    if (name === 'log-file') inputs.push(text);
    else values[name] = FLAGS[name].kind === 'switch' ? boolean(text, variable) : text;
  }
  return { values, inputs };
}

export function variableOf(name: FlagName): string {
  return `LLMPROXY_EXPORT_${name.replaceAll('-', '_').toUpperCase()}`;
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string;
  /** Written as --flag=value. */
  readonly inlineValue?: boolean;
}

const PARSE = Object.fromEntries(
  Object.entries<FlagSpec>(FLAGS).map(([name, { kind, short }]) => [
    name,
    { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) },
  ]),
);

function knownName(name: string, raw: string): FlagName {
  if (Object.hasOwn(FLAGS, name)) return name as FlagName;
  const [near] = nearest(name, NAMES, 1);
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
  // "--output --force" is a forgotten value, not a file of that name; "--output=--force" would be one.
  const forgotten = !inlineValue && /^--?[a-z]/i.test(value ?? '');
  if (value === undefined || value === '' || forgotten)
    throw new ExportError('usage', `Cannot use ${rawName}: it needs a value`);
  return value;
}

function boolean(text: string, name: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new ExportError('usage', `Cannot use ${name}=${text}: expected true or false`);
}
