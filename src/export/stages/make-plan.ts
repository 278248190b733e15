/** Makes the plan of an export in stages. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LogInput } from '../../logs/input.ts';
import type { CurationOptions } from '../curate/options.ts';
import type { Settings, Sources } from '../options/settings.ts';
import type { Options } from '../options/options.ts';
import type { OptionName } from '../../config/export/options.ts';
import type { PlannedInput, StagePlan } from './stage-plan.ts';
import { findInputs } from '../../logs/input.ts';
import { VERSION } from '../../version.ts';
import { ExportError } from '../errors.ts';
import { optionsOf, resolveSettings } from '../options/settings.ts';
import { PLAN_FILE } from '../write/manifest.ts';
import { replaceable } from '../write/overwrite-guard.ts';
import { openStagingFile } from '../write/staging-file.ts';
import { cutRanges, totalWeight } from './cut-ranges.ts';
import { filesOf } from './secret-files.ts';
import { CONTRACT } from './stage-plan.ts';

/** How much log one process decides on, bytes: about two to three million rows. */
const PARTITION_BYTES = 8 * 1024 ** 3;
const RANGE_BYTES = 256 * 1024 ** 2;

/** Options that have no meaning, or another one, if the work is divided; with the reason. */
const REFUSED: Readonly<Partial<Record<OptionName, string>>> = {
  'dry-run': 'each stage writes what the next one reads',
  preview: 'no process sees the first rows of the dataset; look at a shard',
  'preview-html': 'no process sees the first rows of the dataset; look at a shard',
  verify: 'the dataset may be out of reach of this machine; load it when it is finished',
  verbose: 'the number of a line is known only when all stages have ended',
  'shard-size': 'there is one shard for each range: give --range-size',
  manifest: 'the manifest is written beside the dataset',
  threads: 'one process works on one range; run several of them',
  stats: 'counts are known only when all stages have ended, and then are in manifest.json',
};

/** Options that select the stage, and are not part of the plan. */
const OWN: readonly OptionName[] = [
  'stage',
  'plan',
  'range',
  'partition',
  'range-size',
  'partitions',
  'exchange',
  'output',
  'config',
  'force',
  'quiet',
  'progress',
  'json',
  'log-file',
];

/**
 * Writes the plan of an export into its output directory.
 * @returns its path
 * @throws ExportError, InputError
 */
export async function makePlan(sources: Sources): Promise<string> {
  const options = optionsOf(sources);
  refuse(options);
  const settings = resolveSettings({ ...sources, terminal: false });
  refuseSettings(settings);
  const output = resolve(settings.sink.path);
  const inputs = await Promise.all((await findInputs(settings.inputs, output)).map(planned));
  const ranges = cutRanges(inputs, options.value('range-size') ?? RANGE_BYTES);
  const { typed, others } = options.all;
  const own = filesOf(without(typed));
  const elsewhere = filesOf(without(others));
  const plan: StagePlan = {
    contract: CONTRACT,
    llmproxy: VERSION,
    now: new Date(sources.nowMs).toISOString(),
    argv: settings.argv,
    output,
    options: own.values,
    defaults: elsewhere.values,
    files: [...own.files, ...elsewhere.files],
    inputs,
    ranges,
    partitions: partitionsFor(options, settings.curation, totalWeight(inputs)),
  };
  return write(plan, settings);
}

function refuse(options: Options): void {
  for (const [name, why] of Object.entries(REFUSED) as [OptionName, string][])
    if (options.typed(name)) throw new ExportError('usage', `Cannot use --${name} with --stage: ${why}`);
}

function refuseSettings({ sink, plan, curation }: Settings): void {
  if (sink.shape !== 'directory')
    throw new ExportError(
      'usage',
      'Cannot export in stages to a file: give --output a directory, with a / at its end',
    );
  if (plan.raw && curation.maxRecords !== undefined)
    throw new ExportError(
      'usage',
      'Cannot use --max-records with --stage and format raw: no stage knows when the others have enough rows; use --sample',
    );
}

/** Decisions that need all rows, whatever their beginning. */
export function needsAllRows({ near, splits, sample, perGroup, last, maxRecords }: CurationOptions): boolean {
  const drawn = sample !== undefined && 'rows' in sample;
  const counted = [perGroup, last, maxRecords].some((limit) => limit !== undefined);
  return near !== undefined || splits.length > 1 || drawn || counted;
}

function partitionsFor(options: Options, curation: CurationOptions, bytes: number): number {
  if (needsAllRows(curation)) return 1;
  return options.value('partitions') ?? Math.max(1, Math.ceil(bytes / PARTITION_BYTES));
}

async function planned({ name, path, bytes, object, otherNames }: LogInput): Promise<PlannedInput> {
  if (object) return { name, path, bytes: object.bytes, etag: object.etag };
  if (bytes === undefined)
    throw new ExportError(
      'usage',
      `Cannot export ${name} in stages: it is not a file, and every stage reads the logs again`,
    );
  const { mtimeMs } = statSync(path);
  const modified = { bytes, modifiedMs: Math.floor(mtimeMs) };
  return { name, path: resolve(path), ...modified, ...(otherNames ? { otherNames } : {}) };
}

function without(values: StagePlan['options']): StagePlan['options'] {
  const left = new Set<string>([...OWN, ...Object.keys(REFUSED)]);
  return Object.fromEntries(Object.entries(values).filter(([name]) => !left.has(name)));
}

/**
 * The plan is written where the dataset will be; an earlier dataset is deleted, its manifest first, since it will be
 * incomplete.
 */
async function write(plan: StagePlan, { sink }: Settings): Promise<string> {
  const { output } = plan;
  const old = replaceable(output, { name: sink.path, force: sink.force });
  for (const file of old.toReversed()) rmSync(join(output, file), { force: true });
  mkdirSync(output, { recursive: true });
  const path = join(output, PLAN_FILE);
  const text = `${JSON.stringify(plan, null, 2)}\n`;
  const file = openStagingFile(path, true);
  try {
    writeFileSync(file.fd, text);
    await file.keep();
  } catch (error) {
    file.discard();
    throw error;
  }
  return path;
}
