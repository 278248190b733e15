/** Converts options to the settings of each part of an export. */
import type { Config } from '../../config/schema.ts';
import type { Format } from '../render/format.ts';
import type { ExportOptions } from '../job.ts';
import type { OptionSources } from './options.ts';
import type { Shape } from './output.ts';
import { FORMATS } from '../render/all.ts';
import { ExportError } from '../errors.ts';
import { curationOf } from './curation.ts';
import { Options } from './options.ts';
import { placeOf, sinkOf } from './output.ts';
import { planOf } from './plan.ts';
import { selectionOf } from './selection.ts';

/** All settings of one run: of the export, and of its messages. */
export interface Settings extends ExportOptions {
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly progress: 'auto' | 'always' | 'never';
  /** Whether to print statistics about the rows. */
  readonly stats: boolean;
  /** Whether to print statistics as JSON. */
  readonly json: boolean;
  /** Whether to load the output as trainers do. */
  readonly verify: boolean;
  /** The number of rows to preview; omitted for none. */
  readonly preview?: number;
  /** The file for a page with a preview. */
  readonly previewHtml?: string;
}

export interface Sources extends Omit<OptionSources, 'config'> {
  readonly config?: Config;
  /** Whether stdout is a terminal: rows go there only into a pipe or file, or on request. */
  readonly terminal: boolean;
  /** The time that durations such as `7d` count back from, milliseconds since the epoch. */
  readonly nowMs: number;
  /** The arguments as given, for the manifest. */
  readonly argv: readonly string[];
}

const DEFAULT_DIRECTORY = './logs';

/** The options, by the precedence flag > environment > configuration > default. */
export function optionsOf({ flags, env, config }: Pick<Sources, 'flags' | 'env' | 'config'>): Options {
  return new Options({ flags, env, ...(config ? { config: config.export } : {}) });
}

/** @throws ExportError of kind `usage` for invalid options or combinations */
export function resolveSettings(sources: Sources): Settings {
  const options = optionsOf(sources);
  const output = sources.config?.export.output;
  const { path, shape } = placeOf(options, {
    terminal: sources.terminal,
    ...(output === undefined ? {} : { output: String(output) }),
  });
  const format = formatOf(options, shape);
  const curation = curationOf(options, format);
  const selection = selectionOf(options, sources.nowMs);
  const price = options.value('price-per-mtok');
  const threads = options.value('threads');
  const manifest = options.value('manifest');
  const stats = options.value('stats');
  const preview = options.value('preview');
  const previewHtml = options.value('preview-html');
  const looks = preview !== undefined || previewHtml !== undefined;
  const dryRun = options.value('dry-run') || ((stats || looks) && !options.given('output'));
  if (shape === 'stdout' && !dryRun) ownStdout(stats, preview);
  return {
    inputs: options.inputs ?? [sources.config?.logging.requests.directory ?? DEFAULT_DIRECTORY],
    plan: planOf(options, { selection, format, curation }),
    curation,
    sink: sinkOf(options, { path, shape, format, curation }),
    ...(manifest === undefined ? {} : { manifest }),
    dryRun,
    training: {
      epochs: options.value('epochs'),
      ...(price === undefined ? {} : { pricePerMillion: price }),
    },
    argv: sources.argv,
    ...(threads === undefined ? {} : { threads }),
    verbose: options.value('verbose'),
    quiet: options.value('quiet'),
    progress: options.value('progress'),
    failEmpty: options.value('fail-empty'),
    stats,
    json: options.value('json'),
    verify: verifyOf(options, shape),
    ...(preview === undefined ? {} : { preview }),
    ...(previewHtml === undefined ? {} : { previewHtml }),
  };
}

/** @throws ExportError if something else than rows would be written to stdout, after them */
function ownStdout(stats: boolean, preview: number | undefined): void {
  const flag = stats ? '--stats' : preview === undefined ? undefined : '--preview';
  if (flag !== undefined)
    throw new ExportError(
      'usage',
      `Cannot use ${flag} with --output -: both write to standard output, give --output PATH`,
    );
}

/** The requested format; `undefined` for whole records. */
export function formatOf(options: Options, shape: Shape): Format | undefined {
  const name = options.value('format');
  if (options.value('export-all') && name !== undefined && name !== 'raw')
    throw new ExportError('usage', `Cannot use --export-all with --format ${name}: it writes whole records`);
  if (options.value('export-all') || name === 'raw') return undefined;
  return FORMATS[name ?? (shape === 'directory' ? 'trl' : 'openai')];
}

/** @throws ExportError if nothing is written that could be loaded */
function verifyOf(options: Options, shape: Shape): boolean {
  const verify = options.value('verify');
  if (verify && (shape === 'stdout' || options.value('dry-run')))
    throw new ExportError('usage', 'Cannot use --verify: nothing is written to files, give --output PATH');
  return verify;
}
