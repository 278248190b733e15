/**
 * The options of `llmproxy export`: each is declared here once. Its flag, its variable of the environment, its key in the
 * configuration, the help text, the tables of the docs and the type of its value all follow from its row.
 */
import type { ListKind, OptionKind } from './kinds.ts';
import { anyText, commaTexts, decimal, decimalOr, onOrOff, oneOf, texts, wholeNumber } from './kinds.ts';
import {
  latencyValue,
  momentValue,
  reasoningValue,
  sampleValue,
  sizeValue,
  splitValue,
  statusValues,
  tagValues,
  zoneValue,
} from './values.ts';

/** Formats of rows, but for `raw`: whole records. */
export const EXPORT_FORMATS = [
  'openai',
  'trl',
  'trl-pc',
  'openai-dpo',
  'trl-dpo',
  'kto',
  'rft',
  'together',
  'fireworks',
  'mistral',
  'gemini',
  'bedrock',
  'anthropic',
  'sharegpt',
  'alpaca',
  'axolotl',
  'text',
] as const;

export type FormatName = (typeof EXPORT_FORMATS)[number];

/** The formats an option does something for: all of them, all but `raw`, or those of judged answers. */
export type OptionFormats = 'conversations' | 'judged';

export interface OptionRow<Value, Item = Value> {
  readonly kind: OptionKind<Value, Item>;
  readonly help: string;
  readonly hint?: string;
  readonly short?: string;
  /** The value where nothing is given; left out where that depends on something else. */
  readonly fallback?: Value;
  readonly formats?: OptionFormats;
  /** What the key of the configuration means, where that is not the help; `false` for what is about one run alone. */
  readonly config?: string | false;
}

type Extras<Value> = Omit<OptionRow<Value>, 'kind' | 'help' | 'hint' | 'fallback'>;

function flag(help: string, extras: Extras<boolean> = {}): OptionRow<boolean> & { fallback: boolean } {
  return { kind: onOrOff, help, fallback: false, ...extras };
}

function value<Value>(
  kind: OptionKind<Value>,
  hint: string,
  help: string,
  extras: Extras<Value> = {},
): OptionRow<Value> {
  return { kind, hint, help, ...extras };
}

function withDefault<Value>(
  fallback: Value,
  row: OptionRow<Value>,
): OptionRow<Value> & { readonly fallback: Value } {
  return { ...row, fallback };
}

function list<Item>(
  kind: ListKind<Item>,
  hint: string,
  help: string,
  extras: Extras<readonly Item[]> = {},
): OptionRow<readonly Item[], Item> & { readonly fallback: readonly Item[] } {
  return { kind, hint, help, fallback: [], ...extras };
}

const ROWS = { formats: 'conversations' } as const;
const ONE_RUN = { config: false } as const;
const MAX_THREADS = 1_024;

/** All options, in the groups of the help text. */
export const OPTION_GROUPS = {
  'Input and output': {
    'log-file': list(texts, 'path', 'Another input', {
      config: 'File, directory, glob or s3:// prefix to read; `logging.requests.directory` when left out.',
    }),
    output: value(
      anyText,
      'path',
      'File, or directory with a / at its end, or - (default: stdout, or exports/ on a terminal)',
      { short: 'o', config: 'Where the dataset goes when stdout is a terminal (exports/dataset.jsonl).' },
    ),
    format: value(
      oneOf(...EXPORT_FORMATS, 'raw'),
      'name',
      'What rows look like (openai; trl for a directory)',
      {
        short: 'f',
      },
    ),
    force: flag('Replace what an earlier export wrote', ONE_RUN),
    parquet: flag('Parquet instead of JSONL'),
    compress: value(oneOf('gz', 'zst'), 'gz|zst', 'Compress the rows'),
    'shard-size': value(sizeValue, 'size', 'Begin a new file after so much: 500MB'),
    split: value(splitValue, 'shares', 'Files by share: train=0.9,validation=0.1'),
    'split-by': value(
      oneOf('conversation', 'prompt'),
      'unit',
      'What one split has whole: conversation (default) or prompt',
    ),
    manifest: value(anyText, 'path', 'Write what was read and kept to this file too', ONE_RUN),
    'dry-run': flag('Write nothing, count everything', ONE_RUN),
    stats: flag('Show models, tokens, costs; writes rows only with --output', ONE_RUN),
    preview: value(
      wholeNumber(1, 10_000),
      'n',
      'Show so many rows, trained words marked; writes only with --output',
      ONE_RUN,
    ),
    'preview-html': value(anyText, 'file', 'The same as a page in this file (20 rows)', ONE_RUN),
    verify: flag('Load the written files with HF datasets, and count the rows', ONE_RUN),
    json: flag('Statistics and checks as JSON on stdout', ONE_RUN),
    check: flag('Check dataset files by the rules of --format; write nothing', ONE_RUN),
    'export-all': flag('Whole records instead of conversations (format raw)'),
    threads: value(
      wholeNumber(0, MAX_THREADS),
      'n',
      'Threads that convert (default: as many as cores, 8 at most)',
    ),
  },
  'Which records': {
    'successful-only': flag('Only complete, successful answers'),
    'include-resumed': flag('With it, also answers put together of two streams'),
    'model-filter': value(anyText, 'text', 'Part of the model name, in any case'),
    model: list(commaTexts, 'glob', 'Model names'),
    provider: list(commaTexts, 'glob', 'Names of providers'),
    endpoint: list(commaTexts, 'name', 'chat, messages, responses, completions'),
    key: list(commaTexts, 'glob', 'Names of client keys'),
    user: list(commaTexts, 'id', 'End users'),
    tag: list(tagValues, 'k=v', 'Tags of the request'),
    status: list(statusValues, 'codes', 'HTTP status: 200, 2xx, 400-499'),
    'finish-reason': list(commaTexts, 'name', 'How the answer ended'),
    since: value(momentValue, 'time', 'From this day, time or span ago: 2026-11-01, 7d'),
    until: value(momentValue, 'time', 'To this day (all of it), time or span ago'),
    'time-zone': withDefault('UTC', value(zoneValue, 'zone', 'Where days begin: Europe/Berlin (UTC)')),
    'start-date': value(momentValue, 'date', 'The same as --since'),
    'end-date': value(momentValue, 'date', 'The same as --until'),
    'min-tokens': value(wholeNumber(0), 'n', 'Least tokens, in and out'),
    'max-tokens': value(wholeNumber(1), 'n', 'Most tokens of a row; see --on-long', ROWS),
    'max-latency': value(latencyValue, 'time', 'Slowest answer: 2s, 500ms'),
    'min-score': value(decimal(-1, 1), 'score', 'Least score by feedback, -1 to 1', ROWS),
    where: value(anyText, 'expr', 'An expression over the record: cost < 0.01 && stream'),
  },
  'Which rows of them': {
    conversations: value(
      oneOf('collapse', 'turns'),
      'how',
      'collapse (the longest of each) or turns (each answer)',
      ROWS,
    ),
    branches: withDefault(
      'all',
      value(
        oneOf('all', 'longest'),
        'which',
        'Of a conversation that went on in several ways: all or longest',
        ROWS,
      ),
    ),
    'unlogged-turns': withDefault(
      'mask',
      value(
        oneOf('mask', 'drop', 'keep'),
        'how',
        'Answers in a prompt the log does not show: mask, drop, keep',
        ROWS,
      ),
    ),
    dedup: withDefault(
      'exact',
      value(oneOf('exact', 'prompt', 'none'), 'how', 'exact (default), prompt or none', ROWS),
    ),
    'near-dup': value(
      decimalOr(['none'], 0.5, 1),
      'share',
      'Drop rows as similar as this, 0.5 to 1: 0.8',
      ROWS,
    ),
    pairs: withDefault(
      'both',
      value(oneOf('feedback', 'regenerations', 'both'), 'from', 'feedback, regenerations or both (default)', {
        formats: 'judged',
      }),
    ),
    corrections: flag('Corrections by feedback are the answers', ROWS),
    sample: value(sampleValue, 'n|p%', 'So many rows, or a share, by chance'),
    balance: value(anyText, 'field', 'Equal groups by a field: model, tags.team'),
    'per-group': value(wholeNumber(1), 'n', 'Rows of each group'),
    last: value(wholeNumber(1), 'n', 'The last rows of the log'),
    'max-records': value(wholeNumber(1), 'n', 'The first rows of the log'),
    seed: withDefault(0, value(wholeNumber(0), 'n', 'For chance: split, sample, balance (0)')),
  },
  'What is in them': {
    reasoning: value(reasoningValue, 'how', 'drop, keep, inline or field=NAME', ROWS),
    refusals: withDefault(
      'exclude',
      value(oneOf('exclude', 'content', 'keep'), 'how', 'exclude (default), content or keep', ROWS),
    ),
    images: withDefault(
      'keep',
      value(oneOf('keep', 'drop', 'url-only'), 'how', 'keep (default), drop or url-only', ROWS),
    ),
    'provider-tools': withDefault(
      'exclude',
      value(
        oneOf('exclude', 'keep'),
        'how',
        'Answers with tools the provider ran: exclude (default), keep',
        ROWS,
      ),
    ),
    'tool-args': value(oneOf('object', 'string'), 'how', 'object or string, against the format', ROWS),
    'merge-turns': flag('Join messages of one role that follow each other', ROWS),
    system: withDefault('keep', value(anyText, 'how', 'keep (default), drop, or a file with another', ROWS)),
    metadata: withDefault(
      'none',
      value(oneOf('none', 'min', 'full'), 'how', 'none (default), min or full', ROWS),
    ),
    'on-long': value(
      oneOf('drop', 'trim-oldest'),
      'how',
      'Rows over --max-tokens: drop (default) or trim-oldest',
      ROWS,
    ),
    'count-tokens': flag('Count with a tokenizer, not by the log', ROWS),
    redact: list(commaTexts, 'kinds', 'Hide email, phone, card, iban, ssn, ip, key, ... or all'),
    'redact-pattern': list(texts, 'name=regex', 'Hide this too'),
    'redact-mode': value(oneOf('tag', 'hash', 'fake'), 'how', 'tag (default), hash or fake'),
    'redact-salt-file': value(anyText, 'path', 'Secret for hash and fake'),
    'price-per-mtok': value(decimal(0, Infinity), 'usd', 'What a million trained tokens cost'),
    epochs: withDefault(3, value(decimal(0, 1_000), 'n', 'How often each is trained (3)')),
  },
  'How it speaks': {
    config: value(anyText, 'path', 'Configuration with an export section (./config.yaml)', ONE_RUN),
    verbose: flag('Name every bad line and every dropped record', { short: 'v' }),
    quiet: flag('No summary and no progress, only errors', { short: 'q' }),
    progress: withDefault(
      'auto',
      value(oneOf('auto', 'always', 'never'), 'when', 'auto (default), always or never'),
    ),
    'fail-empty': flag('Exit with 3 when no row was written'),
  },
} as const;

type Groups = typeof OPTION_GROUPS;
type Rows = UnionToIntersection<Groups[keyof Groups]>;
type UnionToIntersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

export type OptionName = keyof Rows;

/** The values of all options, as their kinds read them. */
export type OptionValues = {
  readonly [Name in OptionName]: Rows[Name] extends { readonly kind: OptionKind<infer Value, infer _Item> }
    ? Rows[Name] extends { readonly fallback: unknown }
      ? Value
      : Value | undefined
    : never;
};

export const OPTIONS: Readonly<Record<OptionName, OptionRow<unknown>>> = Object.assign(
  {},
  ...Object.values(OPTION_GROUPS),
);

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];

/** `LLMPROXY_EXPORT_MAX_RECORDS` for `max-records`. */
export function variableOf(name: OptionName): string {
  return `LLMPROXY_EXPORT_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** `max_records` for `max-records`. */
export function configKeyOf(name: OptionName): string {
  return name.replaceAll('-', '_');
}
