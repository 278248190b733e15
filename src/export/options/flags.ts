/** The flags of `llmproxy export` as data: one table for parsing, the environment and the help text. */
import { parseArgs } from 'node:util';
import { nearest } from '../../config/suggest.ts';
import { ExportError } from '../errors.ts';

export interface FlagSpec {
  /** A `list` may be given more than once, and with commas between its values where it says so. */
  readonly kind: 'text' | 'switch' | 'list';
  readonly short?: string;
  readonly hint?: string;
  /** Values of the list may be joined by commas. */
  readonly commas?: true;
  readonly description: string;
}

/** Groups as the help text has them. */
export const FLAG_GROUPS = {
  'Input and output': {
    'log-file': { kind: 'list', hint: 'path', description: 'Another input' },
    output: {
      kind: 'text',
      short: 'o',
      hint: 'path',
      description:
        'File, or directory with a / at its end, or - (default: stdout, or exports/ on a terminal)',
    },
    format: {
      kind: 'text',
      short: 'f',
      hint: 'name',
      description: 'What rows look like (openai; trl for a directory)',
    },
    force: { kind: 'switch', description: 'Replace what an earlier export wrote' },
    parquet: { kind: 'switch', description: 'Parquet instead of JSONL' },
    compress: { kind: 'text', hint: 'gz|zst', description: 'Compress the rows' },
    'shard-size': { kind: 'text', hint: 'size', description: 'Begin a new file after so much: 500MB' },
    split: { kind: 'text', hint: 'shares', description: 'Files by share: train=0.9,validation=0.1' },
    'split-by': {
      kind: 'text',
      hint: 'unit',
      description: 'What stays on one side: conversation (default) or prompt',
    },
    manifest: { kind: 'text', hint: 'path', description: 'Write what was read and kept to this file too' },
    'dry-run': { kind: 'switch', description: 'Write nothing, count everything' },
    stats: { kind: 'switch', description: 'Show models, tokens, costs; writes rows only with --output' },
    json: { kind: 'switch', description: 'Statistics and checks as JSON on stdout' },
    check: { kind: 'switch', description: 'Check dataset files by the rules of --format; write nothing' },
    'export-all': { kind: 'switch', description: 'Whole records instead of conversations (format raw)' },
    threads: {
      kind: 'text',
      hint: 'n',
      description: 'Threads that convert (default: as many as cores, 8 at most)',
    },
  },
  'Which records': {
    'successful-only': { kind: 'switch', description: 'Only complete, successful answers' },
    'include-resumed': { kind: 'switch', description: 'With it, also answers put together of two streams' },
    'model-filter': { kind: 'text', hint: 'text', description: 'Part of the model name, in any case' },
    model: { kind: 'list', commas: true, hint: 'glob', description: 'Model names' },
    provider: { kind: 'list', commas: true, hint: 'glob', description: 'Names of providers' },
    endpoint: {
      kind: 'list',
      commas: true,
      hint: 'name',
      description: 'chat, messages, responses, completions',
    },
    key: { kind: 'list', commas: true, hint: 'glob', description: 'Names of client keys' },
    user: { kind: 'list', commas: true, hint: 'id', description: 'End users' },
    tag: { kind: 'list', hint: 'k=v', description: 'Tags of the request' },
    status: { kind: 'list', commas: true, hint: 'codes', description: 'HTTP status: 200, 2xx, 400-499' },
    'finish-reason': { kind: 'list', commas: true, hint: 'name', description: 'How the answer ended' },
    since: { kind: 'text', hint: 'time', description: 'From this day, time or span ago: 2026-11-01, 7d' },
    until: { kind: 'text', hint: 'time', description: 'To this day (all of it), time or span ago' },
    'time-zone': { kind: 'text', hint: 'zone', description: 'Where days begin: Europe/Berlin (UTC)' },
    'start-date': { kind: 'text', hint: 'date', description: 'The same as --since' },
    'end-date': { kind: 'text', hint: 'date', description: 'The same as --until' },
    'min-tokens': { kind: 'text', hint: 'n', description: 'Least tokens, in and out' },
    'max-tokens': { kind: 'text', hint: 'n', description: 'Most tokens of a row; see --on-long' },
    'max-latency': { kind: 'text', hint: 'time', description: 'Slowest answer: 2s, 500ms' },
    'min-score': { kind: 'text', hint: 'score', description: 'Least score by feedback, -1 to 1' },
    where: {
      kind: 'text',
      hint: 'expr',
      description: 'An expression over the record: cost < 0.01 && stream',
    },
  },
  'Which rows of them': {
    conversations: {
      kind: 'text',
      hint: 'how',
      description: 'collapse (the longest of each) or turns (each answer)',
    },
    'unlogged-turns': {
      kind: 'text',
      hint: 'how',
      description: 'Answers in a prompt the log does not show: mask, drop, keep',
    },
    dedup: { kind: 'text', hint: 'how', description: 'exact (default), prompt or none' },
    'near-dup': { kind: 'text', hint: 'share', description: 'Drop rows as similar as this, 0.5 to 1: 0.8' },
    pairs: { kind: 'text', hint: 'from', description: 'feedback, regenerations or both (default)' },
    corrections: { kind: 'switch', description: 'Corrections by feedback are the answers' },
    sample: { kind: 'text', hint: 'n|p%', description: 'So many rows, or a share, by chance' },
    balance: { kind: 'text', hint: 'field', description: 'Equal groups by a field: model, tags.team' },
    'per-group': { kind: 'text', hint: 'n', description: 'Rows of each group' },
    last: { kind: 'text', hint: 'n', description: 'The last rows of the log' },
    'max-records': { kind: 'text', hint: 'n', description: 'The first rows of the log' },
    seed: { kind: 'text', hint: 'n', description: 'For chance: split, sample, balance (0)' },
  },
  'What is in them': {
    reasoning: { kind: 'text', hint: 'how', description: 'drop, keep, inline or field=NAME' },
    refusals: { kind: 'text', hint: 'how', description: 'exclude (default), content or keep' },
    images: { kind: 'text', hint: 'how', description: 'keep (default), drop or url-only' },
    'tool-args': { kind: 'text', hint: 'how', description: 'object or string, against the format' },
    'merge-turns': { kind: 'switch', description: 'Join messages of one role that follow each other' },
    system: { kind: 'text', hint: 'how', description: 'keep (default), drop, or a file with another' },
    metadata: { kind: 'text', hint: 'how', description: 'none (default), min or full' },
    'on-long': {
      kind: 'text',
      hint: 'how',
      description: 'Rows over --max-tokens: drop (default) or trim-oldest',
    },
    'count-tokens': { kind: 'switch', description: 'Count with a tokenizer, not by the log' },
    redact: {
      kind: 'list',
      commas: true,
      hint: 'kinds',
      description: 'Hide email, phone, card, iban, ssn, ip, key, ... or all',
    },
    'redact-pattern': { kind: 'list', hint: 'name=regex', description: 'Hide this too' },
    'redact-mode': { kind: 'text', hint: 'how', description: 'tag (default), hash or fake' },
    'redact-salt-file': { kind: 'text', hint: 'path', description: 'Secret for hash and fake' },
    'price-per-mtok': { kind: 'text', hint: 'usd', description: 'What a million trained tokens cost' },
    epochs: { kind: 'text', hint: 'n', description: 'How often each is trained (3)' },
  },
  'How it speaks': {
    config: {
      kind: 'text',
      hint: 'path',
      description: 'Configuration with an export section (./config.yaml)',
    },
    verbose: { kind: 'switch', short: 'v', description: 'Name every bad line and every dropped record' },
    quiet: { kind: 'switch', short: 'q', description: 'No summary and no progress, only errors' },
    progress: { kind: 'text', hint: 'when', description: 'auto (default), always or never' },
    'fail-empty': { kind: 'switch', description: 'Exit with 3 when no row was written' },
  },
} as const satisfies Record<string, Record<string, FlagSpec>>;

type Groups = typeof FLAG_GROUPS;
type KeyOf<Group> = Group extends unknown ? keyof Group : never;
export type FlagName = KeyOf<Groups[keyof Groups]>;

export const FLAGS: Readonly<Record<FlagName, FlagSpec>> = Object.assign({}, ...Object.values(FLAG_GROUPS));

export type FlagValue = string | boolean | readonly string[];

/** Flags that were given. */
export interface GivenFlags {
  readonly values: Readonly<Partial<Record<FlagName, FlagValue>>>;
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
  const given = new Given();
  for (const token of tokens) {
    if (token.kind === 'positional') given.inputs.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') && token.rawName.startsWith('--');
    const name = knownName(negated ? token.name.slice(3) : token.name, token.rawName);
    given.set(name, FLAGS[name].kind === 'switch' ? switchValue(token, negated) : textValue(token, negated));
  }
  return given;
}

class Given implements GivenFlags {
  readonly values: Partial<Record<FlagName, FlagValue>> = {};
  readonly inputs: string[] = [];

  set(name: FlagName, value: string | boolean): void {
    const { kind, commas } = FLAGS[name];
    if (name === 'log-file') this.inputs.push(String(value));
    else if (kind !== 'list') this.values[name] = value;
    else {
      const more = commas ? itemsOf(String(value)) : [String(value)];
      this.values[name] = [...((this.values[name] as readonly string[] | undefined) ?? []), ...more];
    }
  }
}

/** What stands between commas, but for those in the braces of a glob: `{gpt-4o,o3}*,claude*`. */
function itemsOf(text: string): string[] {
  return (text.match(/(?:\{[^}]*\}|[^,])+/g) ?? []).map((item) => item.trim()).filter(Boolean);
}

/** What the environment says: `LLMPROXY_EXPORT_MAX_RECORDS` for `--max-records`. An empty value says nothing. */
export function environmentFlags(env: Readonly<Record<string, string | undefined>>): GivenFlags {
  const given = new Given();
  for (const name of NAMES) {
    const variable = variableOf(name);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    given.set(name, FLAGS[name].kind === 'switch' ? boolean(text, variable) : text);
  }
  return given;
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
  Object.entries(FLAGS).map(([name, { kind, short }]) => [
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
