/** The plan of an export in stages: everything that its processes must agree on, in one file. */
import { readFileSync } from 'node:fs';
import type { LogInput } from '../../logs/input.ts';
import type { GivenOptions } from '../options/flags.ts';
import type { Plan } from '../convert/plan.ts';
import type { Settings } from '../options/settings.ts';
import { s3Place } from '../../logs/s3.ts';
import { fileReason } from '../../logs/names.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { VERSION } from '../../version.ts';
import { ExportError } from '../errors.ts';
import { resolveSettings } from '../options/settings.ts';
import { checkOf } from './secret-files.ts';
import type { SecretFile } from './secret-files.ts';

/** The version of the contract between stages. */
export const CONTRACT = 1;

/** One log file or object, as it was when the plan was made. */
export interface PlannedInput {
  /** Its name in messages. */
  readonly name: string;
  /** An absolute path, or `s3://bucket/key`. */
  readonly path: string;
  readonly bytes: number;
  /** The modification time of a file, milliseconds since the epoch. */
  readonly modifiedMs?: number;
  /** The version of an object. */
  readonly etag?: string;
  readonly otherNames?: LogInput['otherNames'];
}

/** The lines that begin in a part of an input. */
export interface PlannedPart {
  /** Its index among the inputs. */
  readonly input: number;
  readonly from: number;
  /** Just past the last byte; `null` for all of an input that can only be read from its start. */
  readonly to: number | null;
}

/** What one process reads. */
export interface PlannedRange {
  readonly parts: readonly PlannedPart[];
  /** The size on disk, bytes. */
  readonly bytes: number;
}

export interface StagePlan {
  readonly contract: number;
  /** The version of the program, which must be the same in all stages. */
  readonly llmproxy: string;
  /** The time that durations such as `7d` count back from. */
  readonly now: string;
  readonly argv: readonly string[];
  /** The absolute path of the dataset's directory. */
  readonly output: string;
  /** Options from the command line, the environment and the configuration, as given. */
  readonly options: GivenOptions['values'];
  readonly defaults: GivenOptions['values'];
  /** Files that options name and that every process reads itself, each with a check that it has not changed. */
  readonly files: readonly SecretFile[];
  readonly inputs: readonly PlannedInput[];
  readonly ranges: readonly PlannedRange[];
  /** The number of deciding processes: 1 if the decisions need all rows. */
  readonly partitions: number;
}

/** @throws ExportError when it is not a plan, or of another version */
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
 * The settings in a plan.
 * @throws ExportError when a file that it names is missing here or has changed
 */
export function settingsOf(plan: StagePlan): Settings {
  for (const file of plan.files) checkOf(file);
  return resolveSettings({
    flags: { values: { ...plan.options, output: `${plan.output}/` }, inputs: [] },
    env: { values: plan.defaults, inputs: [] },
    terminal: false,
    nowMs: Date.parse(plan.now),
    argv: plan.argv,
  });
}

/** How extract converts lines: rows get what brings together those that affect each other. */
export function extractionOf({ curation, plan }: Settings): Plan {
  const prompts =
    curation.dedup === 'prompt' ||
    curation.corrections ||
    curation.sampleKind === 'preference' ||
    curation.sampleKind === 'label';
  return { ...plan, roots: prompts ? 'prompts' : 'contents' };
}

/** How render converts the same lines: the decisions have been made. */
export function renderingOf({ plan }: Settings): Plan {
  return { ...plan, nearSeed: undefined };
}

/** The inputs in the form that the rest of the export uses. */
export function inputsOf({ inputs }: StagePlan): LogInput[] {
  return inputs.map(({ name, path, bytes, etag }) => ({
    name,
    path,
    bytes,
    ...(etag === undefined ? {} : { object: { ...s3Place(path), bytes, etag } }),
  }));
}

/** A range of a plan. @throws ExportError for a number that the plan does not contain */
export function rangeOf({ ranges }: StagePlan, number: number): PlannedRange {
  const range = ranges[number];
  if (!range)
    throw new ExportError(
      'usage',
      `Cannot use --range ${number}: the plan has ranges 0 to ${ranges.length - 1}`,
    );
  return range;
}
