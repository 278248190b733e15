/** The plan of an export in stages: all that its processes must agree on, in one file. */
import { readFileSync } from 'node:fs';
import type { LogInput } from '../../logs/input.ts';
import type { GivenOptions } from '../options/flags.ts';
import type { Settings } from '../options/settings.ts';
import { s3Place } from '../../logs/s3.ts';
import { fileReason } from '../../logs/names.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { VERSION } from '../../version.ts';
import { ExportError } from '../errors.ts';
import { resolveSettings } from '../options/settings.ts';
import { checkOf } from './secret-files.ts';
import type { SecretFile } from './secret-files.ts';

/** The version of what stages hand to each other. */
export const CONTRACT = 1;

/** One file or object of the logs, as it was when the plan was made. */
export interface PlannedInput {
  /** How messages name it. */
  readonly name: string;
  /** An absolute path, or `s3://bucket/key`. */
  readonly path: string;
  readonly bytes: number;
  /** When a file was written last, milliseconds since the epoch. */
  readonly modifiedMs?: number;
  /** The version of an object. */
  readonly etag?: string;
}

/** The lines that begin in a part of an input. */
export interface PlannedPart {
  /** Its number among the inputs. */
  readonly input: number;
  readonly from: number;
  /** Behind the last byte; `null` for all of an input that can only be read from its start. */
  readonly to: number | null;
}

/** What one process reads. */
export interface PlannedRange {
  readonly parts: readonly PlannedPart[];
  /** Bytes on disk. */
  readonly bytes: number;
}

export interface StagePlan {
  readonly contract: number;
  /** The version of the program, which all stages must be of. */
  readonly llmproxy: string;
  /** The moment that spans such as `7d` count back from. */
  readonly now: string;
  readonly argv: readonly string[];
  /** The directory that the dataset goes to, as an absolute path. */
  readonly output: string;
  /** Options of the command line, and of the environment and the configuration, as they were given. */
  readonly options: GivenOptions['values'];
  readonly defaults: GivenOptions['values'];
  /** Files that options name and that every process reads itself, each with a check that it is the same. */
  readonly files: readonly SecretFile[];
  readonly inputs: readonly PlannedInput[];
  readonly ranges: readonly PlannedRange[];
  /** How many processes decide: 1 where the decisions need to see all rows. */
  readonly partitions: number;
}

/** @throws ExportError when it is no plan, or one of another version */
export function readPlan(path: string): StagePlan {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExportError('failed', `Cannot read the plan ${path}: ${fileReason(cause)}`, { cause });
  }
  const plan = parseJson(text);
  if (!isObject(plan) || typeof plan.contract !== 'number' || !Array.isArray(plan.ranges))
    throw new ExportError('failed', `Cannot use the plan ${path}: it was not written by --stage plan`);
  const { contract, llmproxy } = plan as unknown as StagePlan;
  if (contract !== CONTRACT || llmproxy !== VERSION)
    throw new ExportError(
      'failed',
      `Cannot use the plan ${path}: it was made by llmproxy ${llmproxy}, and this is ${VERSION}; run all stages with the same version`,
    );
  return plan as unknown as StagePlan;
}

/**
 * The settings of a plan.
 * @throws ExportError when a file that it names is missing here or is another one
 */
export function settingsOf(plan: StagePlan): Settings {
  for (const file of plan.files) checkOf(file);
  const settings = resolveSettings({
    flags: { values: { ...plan.options, output: `${plan.output}/` }, inputs: [] },
    env: { values: plan.defaults, inputs: [] },
    terminal: false,
    nowMs: Date.parse(plan.now),
    argv: plan.argv,
  });
  const { curation } = settings;
  const prompts =
    curation.dedup === 'prompt' ||
    curation.corrections ||
    curation.sampleKind === 'preference' ||
    curation.sampleKind === 'label';
  return { ...settings, plan: { ...settings.plan, roots: prompts ? 'prompts' : 'contents' } };
}

/** The inputs as the rest of the export knows them. */
export function inputsOf({ inputs }: StagePlan): LogInput[] {
  return inputs.map(({ name, path, bytes, etag }) => ({
    name,
    path,
    bytes,
    ...(etag === undefined ? {} : { object: { ...s3Place(path), bytes, etag } }),
  }));
}

/** A range of a plan. @throws ExportError for a number that the plan does not have */
export function rangeOf({ ranges }: StagePlan, number: number): PlannedRange {
  const range = ranges[number];
  if (!range)
    throw new ExportError(
      'usage',
      `Cannot use --range ${number}: the plan has ranges 0 to ${ranges.length - 1}`,
    );
  return range;
}
