/** Flags, environment and configuration as one set of options. */
import type { Config } from '../../config/schema.ts';
import type { FlagName, FlagValue, GivenFlags } from './flags.ts';
import type { Format } from '../render/format.ts';
import type { FormatName } from '../render/all.ts';
import type { ExportOptions } from '../job.ts';
import type { Shape } from './output.ts';
import { FORMAT_NAMES, FORMATS } from '../render/all.ts';
import { ExportError } from '../errors.ts';
import { curationOf } from './curation.ts';
import { placeOf, sinkOf } from './output.ts';
import { Picker } from './picker.ts';
import { planOf } from './plan.ts';
import { selectionOf } from './selection.ts';

/** What `llmproxy export` is to do, and how it speaks about it. */
export interface Settings extends ExportOptions {
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly progress: 'auto' | 'always' | 'never';
  readonly failEmpty: boolean;
  /** Show what the rows are made of. */
  readonly stats: boolean;
  /** As JSON. */
  readonly json: boolean;
}

export interface Sources {
  readonly flags: GivenFlags;
  readonly env: GivenFlags;
  readonly config?: Config;
  /** Whether stdout is a terminal: rows go there only into a pipe or file, or when asked. */
  readonly terminal: boolean;
  /** What spans of time count back from. */
  readonly nowMs: number;
  /** The arguments as given, for the manifest. */
  readonly argv: readonly string[];
}

const DEFAULT_DIRECTORY = './logs';
const DEFAULT_EPOCHS = 3;
const MAX_THREADS = 1_024;

/** Settings by the rule flag > environment > configuration > default. @throws ExportError of kind `usage` */
export function resolveSettings(sources: Sources): Settings {
  const picker = pickerOf(sources);
  const { path, shape } = placeOf(picker, {
    terminal: sources.terminal,
    output: sources.config?.export.output,
  });
  const format = formatOf(picker, shape);
  const curation = curationOf(picker, format);
  const selection = selectionOf(picker, sources.nowMs);
  const price = picker.number('price-per-mtok', 0, Infinity);
  const threads = picker.whole('threads', 0);
  if (threads !== undefined && threads > MAX_THREADS)
    throw picker.wrong('threads', `expected ${MAX_THREADS} at most`);
  const manifest = picker.text('manifest');
  const stats = picker.on('stats');
  return {
    inputs: inputsOf(sources),
    plan: planOf(picker, { selection, format, curation }),
    curation,
    sink: sinkOf(picker, { path, shape, format, curation }),
    ...(manifest === undefined ? {} : { manifest }),
    dryRun: picker.on('dry-run') || (stats && !picker.given('output')),
    training: {
      epochs: picker.number('epochs', 0, 1_000) ?? DEFAULT_EPOCHS,
      ...(price === undefined ? {} : { pricePerMillion: price }),
    },
    argv: sources.argv,
    ...(threads === undefined ? {} : { threads }),
    verbose: picker.on('verbose'),
    quiet: picker.on('quiet'),
    progress: picker.oneOf('progress', ['auto', 'always', 'never']) ?? 'auto',
    failEmpty: picker.on('fail-empty'),
    stats,
    json: picker.on('json'),
  };
}

/** The format asked for; `undefined` for whole records. */
export function formatOf(picker: Picker, shape: Shape): Format | undefined {
  const name = picker.oneOf('format', [...FORMAT_NAMES, 'raw'] as const);
  if (picker.on('export-all') && name !== undefined && name !== 'raw')
    throw new ExportError('usage', `Cannot use --export-all with --format ${name}: it writes whole records`);
  if (picker.on('export-all') || name === 'raw') return undefined;
  const byShape: FormatName = shape === 'directory' ? 'trl' : 'openai';
  return FORMATS[name ?? byShape];
}

export function pickerOf({ flags, env, config }: Pick<Sources, 'flags' | 'env' | 'config'>): Picker {
  return new Picker({ flags, env, config: config ? configured(config.export) : {} });
}

/** The configuration's section by the names of the flags; `output` there is for terminals alone. */
function configured(section: Config['export']): Partial<Record<FlagName, FlagValue>> {
  const entries = Object.entries(section)
    .filter(([name, value]) => value !== undefined && name !== 'output' && name !== 'log_file')
    .map(([name, value]) => [name.replaceAll('_', '-'), Array.isArray(value) ? value : flagValue(value)]);
  return Object.fromEntries(entries) as Partial<Record<FlagName, FlagValue>>;
}

function flagValue(value: unknown): FlagValue {
  return typeof value === 'boolean' ? value : String(value);
}

function inputsOf({ flags, env, config }: Sources): readonly string[] {
  if (flags.inputs.length > 0) return flags.inputs;
  if (env.inputs.length > 0) return env.inputs;
  return [config?.export.log_file ?? config?.logging.requests.directory ?? DEFAULT_DIRECTORY];
}
