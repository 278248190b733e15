/**
 * The options of `llmproxy export`, each declared once. Its flag, its environment variable, its key in the
 * configuration, its help text, the tables in the documentation and the type of its value are all derived from its row.
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

/** The formats except `raw`, which writes whole records. */
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

/** The formats an option applies to: all of them, all except `raw`, or those built from judged answers. */
export type OptionFormats = 'conversations' | 'judged';

export interface OptionRow<Value, Item = Value> {
  readonly kind: OptionKind<Value, Item>;
  readonly help: string;
  readonly hint?: string;
  readonly short?: string;
  /** The default value; omitted where it depends on other options. */
  readonly fallback?: Value;
  readonly formats?: OptionFormats;
  /**
   * The description of the key in the configuration, if it differs from the help; `false` for options of a single run.
   */
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

/** All options, grouped as in the help text. */
export const OPTION_GROUPS = {
  'Input and output': {
    'log-file': list(texts, 'path', 'Another input: file, directory, glob or s3:// prefix', {
      config: 'File, directory, glob or s3:// prefix to read; defaults to `logging.requests.directory`.',
    }),
    output: value(
      anyText,
      'path',
      'File, directory (ending in /), or - for stdout (default: stdout; exports/dataset.jsonl on a terminal)',
      {
        short: 'o',
        config: 'Where to write the dataset when stdout is a terminal. Default: exports/dataset.jsonl.',
      },
    ),
    format: value(
      oneOf(...EXPORT_FORMATS, 'raw'),
      'name',
      'Dataset format (default: openai; trl for a directory)',
      {
        short: 'f',
      },
    ),
    force: flag('Overwrite existing output', ONE_RUN),
    parquet: flag('Write Parquet instead of JSONL'),
    compress: value(oneOf('gz', 'zst'), 'gz|zst', 'Compress the output'),
    'shard-size': value(sizeValue, 'size', 'Start a new file after this size, such as 500MB'),
    split: value(splitValue, 'shares', 'Split into files by share, such as train=0.9,validation=0.1'),
    'split-by': value(
      oneOf('conversation', 'prompt'),
      'unit',
      'Unit that is never divided between splits: conversation (default) or prompt',
    ),
    manifest: value(anyText, 'path', 'Also write the manifest to this file', ONE_RUN),
    'dry-run': flag('Count everything but write nothing', ONE_RUN),
    stats: flag('Show statistics on models, tokens and costs; write rows only with --output', ONE_RUN),
    preview: value(
      wholeNumber(1, 10_000),
      'n',
      'Show this many rows with trained text marked; write rows only with --output',
      ONE_RUN,
    ),
    'preview-html': value(
      anyText,
      'file',
      'Write the preview as an HTML page to this file (20 rows)',
      ONE_RUN,
    ),
    verify: flag('Load the written files with HF datasets and compare the number of rows', ONE_RUN),
    json: flag('Print statistics and check results as JSON on stdout', ONE_RUN),
    check: flag('Check dataset files against the rules of --format; write nothing', ONE_RUN),
    'export-all': flag('Export whole records instead of conversations (format raw)'),
    threads: value(
      wholeNumber(0, MAX_THREADS),
      'n',
      'Number of conversion threads (default: one per core, at most 8)',
    ),
  },
  'Record filters': {
    'successful-only': flag('Only complete, successful answers'),
    'include-resumed': flag('With --successful-only, also include answers assembled from several streams'),
    'model-filter': value(anyText, 'text', 'Models whose name contains this text, ignoring case'),
    model: list(commaTexts, 'glob', 'Models that match'),
    provider: list(commaTexts, 'glob', 'Providers that match'),
    endpoint: list(commaTexts, 'name', 'Endpoints: chat, messages, responses, completions'),
    key: list(commaTexts, 'glob', 'Client keys whose name matches'),
    user: list(commaTexts, 'id', 'Requests of this end user'),
    tag: list(tagValues, 'k=v', 'Requests with this tag'),
    status: list(statusValues, 'codes', 'HTTP status, such as 200, 2xx or 400-499'),
    'finish-reason': list(commaTexts, 'name', 'Finish reason of the answer'),
    since: value(momentValue, 'time', 'Start at this day, time or age, such as 2026-11-01 or 7d'),
    until: value(momentValue, 'time', 'End at this day (inclusive), time or age'),
    'time-zone': withDefault(
      'UTC',
      value(zoneValue, 'zone', 'Time zone of days, such as Europe/Berlin (default: UTC)'),
    ),
    'start-date': value(momentValue, 'date', 'Same as --since'),
    'end-date': value(momentValue, 'date', 'Same as --until'),
    'min-tokens': value(wholeNumber(0), 'n', 'Minimum number of tokens, input plus output'),
    'max-tokens': value(wholeNumber(1), 'n', 'Maximum number of tokens per row; see --on-long', ROWS),
    'max-latency': value(latencyValue, 'time', 'Maximum latency, such as 2s or 500ms'),
    'min-score': value(decimal(-1, 1), 'score', 'Minimum feedback score, -1 to 1', ROWS),
    where: value(anyText, 'expr', 'CEL expression on the record, such as cost < 0.01 && stream'),
  },
  'Row selection': {
    conversations: value(
      oneOf('collapse', 'turns'),
      'how',
      'One row per conversation, at its longest (collapse), or per answer (turns)',
      ROWS,
    ),
    branches: withDefault(
      'all',
      value(
        oneOf('all', 'longest'),
        'which',
        'Which branches of a conversation to keep: all (default) or longest',
        ROWS,
      ),
    ),
    'unlogged-turns': withDefault(
      'mask',
      value(
        oneOf('mask', 'drop', 'keep'),
        'how',
        'Answers in a prompt that the log does not contain: mask (default), drop or keep',
        ROWS,
      ),
    ),
    dedup: withDefault(
      'exact',
      value(
        oneOf('exact', 'prompt', 'none'),
        'how',
        'What counts as a duplicate: exact (default), prompt or none',
        ROWS,
      ),
    ),
    'near-dup': value(
      decimalOr(['none'], 0.5, 1),
      'share',
      'Drop rows at least this similar, 0.5 to 1, such as 0.8',
      ROWS,
    ),
    pairs: withDefault(
      'both',
      value(
        oneOf('feedback', 'regenerations', 'both'),
        'from',
        'Source of preference pairs: feedback, regenerations or both (default)',
        {
          formats: 'judged',
        },
      ),
    ),
    feedback: withDefault(
      'use',
      value(oneOf('use', 'none'), 'how', 'Feedback in the log: use (default) or none', ROWS),
    ),
    corrections: flag('Use corrections from feedback as the answers', ROWS),
    sample: value(sampleValue, 'n|p%', 'Random sample: a number of rows, or a percentage'),
    balance: value(anyText, 'field', 'Groups of equal size by a field, such as model or tags.team'),
    'per-group': value(wholeNumber(1), 'n', 'Number of rows per group'),
    last: value(wholeNumber(1), 'n', 'Only the last rows of the log'),
    'max-records': value(wholeNumber(1), 'n', 'Only the first rows of the log'),
    seed: withDefault(
      0,
      value(wholeNumber(0), 'n', 'Random seed for split, sample and balance (default: 0)'),
    ),
  },
  'Row content': {
    reasoning: value(reasoningValue, 'how', 'Reasoning: drop, keep, inline or field=NAME', ROWS),
    refusals: withDefault(
      'exclude',
      value(oneOf('exclude', 'content', 'keep'), 'how', 'Refusals: exclude (default), content or keep', ROWS),
    ),
    images: withDefault(
      'keep',
      value(oneOf('keep', 'drop', 'url-only'), 'how', 'Images: keep (default), drop or url-only', ROWS),
    ),
    'provider-tools': withDefault(
      'exclude',
      value(
        oneOf('exclude', 'keep'),
        'how',
        'Answers based on tools that the provider ran: exclude (default) or keep',
        ROWS,
      ),
    ),
    'tool-args': value(
      oneOf('object', 'string'),
      'how',
      'Tool arguments as object or string, overriding the format',
      ROWS,
    ),
    'merge-turns': flag('Merge consecutive messages of the same role', ROWS),
    system: withDefault(
      'keep',
      value(anyText, 'how', 'System prompt: keep (default), drop, or a file to replace it with', ROWS),
    ),
    metadata: withDefault(
      'none',
      value(oneOf('none', 'min', 'full'), 'how', 'Metadata per row: none (default), min or full', ROWS),
    ),
    'on-long': value(
      oneOf('drop', 'trim-oldest'),
      'how',
      'Rows longer than --max-tokens: drop (default) or trim-oldest',
      ROWS,
    ),
    'count-tokens': flag('Count tokens with a tokenizer instead of using the logged counts', ROWS),
    redact: list(commaTexts, 'kinds', 'Redact email, phone, card, iban, ssn, ip, key, ... or all'),
    'redact-pattern': list(texts, 'name=regex', 'Redact matches of this pattern too'),
    'redact-mode': value(oneOf('tag', 'hash', 'fake'), 'how', 'Replacement: tag (default), hash or fake'),
    'redact-salt-file': value(anyText, 'path', 'File with the secret for hash and fake'),
    'price-per-mtok': value(
      decimal(0, Infinity),
      'usd',
      'Price of training on a million tokens, for cost estimates',
    ),
    epochs: withDefault(3, value(decimal(0, 1_000), 'n', 'Training epochs, for cost estimates (default: 3)')),
  },
  'Messages and configuration': {
    config: value(
      anyText,
      'path',
      'Configuration file with an export section (default: ./config.yaml)',
      ONE_RUN,
    ),
    verbose: flag('List every bad line and every dropped record', { short: 'v' }),
    quiet: flag('Print only errors, no summary and no progress', { short: 'q' }),
    progress: withDefault(
      'auto',
      value(oneOf('auto', 'always', 'never'), 'when', 'Show progress: auto (default), always or never'),
    ),
    'fail-empty': flag('Exit with status 3 if no row was written'),
  },
  'Beyond one machine': {
    stage: value(
      oneOf('plan', 'extract', 'decide', 'render', 'finish'),
      'name',
      'Run one stage of an export that runs on several machines (docs/stages.md)',
      ONE_RUN,
    ),
    plan: value(anyText, 'file', 'The plan.json that --stage plan wrote', ONE_RUN),
    range: value(
      wholeNumber(0),
      'n',
      'The range of the logs that --stage extract or render works on',
      ONE_RUN,
    ),
    partition: value(wholeNumber(0), 'n', 'The partition of the rows that --stage decide works on', ONE_RUN),
    'range-size': value(
      sizeValue,
      'size',
      'With --stage plan: the size of a range of the logs (default: 256MB)',
      ONE_RUN,
    ),
    partitions: value(
      wholeNumber(1, 100_000),
      'n',
      'With --stage plan: the number of partitions of the rows (default: by size)',
      ONE_RUN,
    ),
    exchange: value(
      anyText,
      'directory',
      'Directory in which the stages exchange rows, instead of stdin and stdout',
      ONE_RUN,
    ),
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

/** The values of all options, with the types that their kinds produce. */
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

/** `max-records` to `LLMPROXY_EXPORT_MAX_RECORDS`. */
export function variableOf(name: OptionName): string {
  return `LLMPROXY_EXPORT_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** `max-records` to `max_records`. */
export function configKeyOf(name: OptionName): string {
  return name.replaceAll('-', '_');
}
