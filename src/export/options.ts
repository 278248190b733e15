/** Flags, environment and configuration as one set of options. */
import type { Config } from '../config/schema.ts';
import { ExportError } from './error.ts';
import type { FlagName, GivenFlags } from './flags.ts';
import { variableOf } from './flags.ts';
import type { ExportOptions } from './run.ts';
import { endOf, timeOf } from './select.ts';

/** What `llmproxy export` is to do, and how it speaks about it. */
export interface Settings extends ExportOptions {
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly progress: 'auto' | 'always' | 'never';
  readonly failEmpty: boolean;
}

export interface Sources {
  readonly flags: GivenFlags;
  readonly env: GivenFlags;
  readonly config?: Config;
  /** Whether stdout is a terminal: rows go there only into a pipe or file, or when asked. */
  readonly terminal: boolean;
}

type Value = string | boolean | undefined;

/** Settings by the rule flag > environment > configuration > default. @throws ExportError of kind `usage` */
export function resolveSettings(sources: Sources): Settings {
  const { config, terminal } = sources;
  const pick = picker(sources);
  const file = config?.export;
  const span = spanOf(pick('start-date', file?.start_date), pick('end-date', file?.end_date));
  const models = pick('model-filter', file?.model_filter).value;
  return {
    inputs: inputsOf(sources),
    output: text(pick('output').value) ?? (terminal ? (file?.output ?? DEFAULT_OUTPUT) : '-'),
    force: pick('force').value === true,
    ...(models === undefined ? {} : { modelFilter: String(models) }),
    ...span,
    ...maximum(pick('max-records', file?.max_records?.toString())),
    successfulOnly: pick('successful-only', file?.successful_only).value === true,
    exportAll: pick('export-all', file?.export_all).value === true,
    verbose: pick('verbose').value === true,
    quiet: pick('quiet').value === true,
    progress: progressOf(pick('progress')),
    failEmpty: pick('fail-empty').value === true,
  };
}

const DEFAULT_OUTPUT = 'exports/dataset.jsonl';
const DEFAULT_DIRECTORY = './logs';

/** A value, and what to call it in a message. */
interface Picked {
  readonly value: Value;
  readonly source: string;
}

function picker({ flags, env }: Sources): (name: FlagName, configured?: Value) => Picked {
  return (name, configured) => {
    if (flags.values[name] !== undefined) return { value: flags.values[name], source: `--${name}` };
    if (env.values[name] !== undefined) return { value: env.values[name], source: variableOf(name) };
    return { value: configured, source: `export.${name.replaceAll('-', '_')}` };
  };
}

function inputsOf({ flags, env, config }: Sources): readonly string[] {
  if (flags.inputs.length > 0) return flags.inputs;
  if (env.inputs.length > 0) return env.inputs;
  return [config?.export.log_file ?? config?.logging.requests.directory ?? DEFAULT_DIRECTORY];
}

function text(value: Value): string | undefined {
  return value === undefined ? undefined : String(value);
}

function spanOf(start: Picked, end: Picked): { fromMs?: number; untilMs?: number } {
  const fromMs = momentOf(start, timeOf);
  const untilMs = momentOf(end, endOf);
  if (fromMs !== undefined && untilMs !== undefined && fromMs > untilMs) {
    throw new ExportError(
      'usage',
      `Cannot use ${start.source} ${start.value}: it is after ${end.source} ${end.value}`,
    );
  }
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(untilMs === undefined ? {} : { untilMs }) };
}

function momentOf({ value, source }: Picked, read: (text: string) => number): number | undefined {
  if (value === undefined) return undefined;
  const ms = read(String(value));
  if (Number.isNaN(ms)) {
    throw new ExportError(
      'usage',
      `Cannot use ${source} ${value}: expected a day such as 2026-11-23, or an ISO time`,
    );
  }
  return ms;
}

function maximum({ value, source }: Picked): { maxRecords?: number } {
  if (value === undefined) return {};
  const number = Number(value);
  if (/^\d+$/.test(String(value)) && number >= 1 && Number.isSafeInteger(number))
    return { maxRecords: number };
  throw new ExportError('usage', `Cannot use ${source} ${value}: expected a whole number from 1`);
}

function progressOf({ value, source }: Picked): Settings['progress'] {
  if (value === undefined) return 'auto';
  if (value === 'auto' || value === 'always' || value === 'never') return value;
  throw new ExportError('usage', `Cannot use ${source} ${value}: expected auto, always or never`);
}
