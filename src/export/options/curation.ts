import { OPTION_NAMES, OPTIONS } from '../../config/export/options.ts';
import type { Split } from '../../config/export/values.ts';
import type { CurationOptions } from '../curate/options.ts';
import type { Format } from '../render/format.ts';
import type { Options } from './options.ts';
import { ExportError } from '../errors.ts';

/** The default similarity from which rows must not be in different splits. */
const SPLIT_NEAR = 0.8;
const ALL: readonly Split[] = [{ name: 'train', share: 1 }];

/** Which rows of the selected records are written. @param format `undefined` for whole records */
export function curationOf(options: Options, format: Format | undefined): CurationOptions {
  const chosen = options.value('near-dup');
  const near = chosen === 'none' || !format ? undefined : chosen;
  const splits = options.value('split') ?? ALL;
  const splitBy = options.value('split-by') ?? 'conversation';
  if (options.typed('split-by') && splits.length < 2)
    throw options.wrong('split-by', 'there is one split: give --split');
  const sample = options.value('sample');
  const perGroup = options.value('per-group');
  if ((perGroup === undefined) !== !options.given('balance'))
    throw new ExportError('usage', 'Cannot balance rows: --balance FIELD and --per-group N go together');
  const minScore = options.value('min-score');
  refuseIdle(options, format);
  const feedback = feedbackOf(options);
  const last = options.value('last');
  const maxRecords = options.value('max-records');
  const leaks = splits.length > 1 && format !== undefined;
  const byNear = near !== undefined || (splitBy === 'conversation' && chosen === undefined);
  return {
    ...conversationsOf(options, format),
    loss: format?.loss ?? 'completion',
    sampleKind: format?.sampleKind ?? 'sft',
    pairs: options.value('pairs'),
    feedback,
    corrections: format !== undefined && options.value('corrections'),
    scores: format !== undefined && feedback === 'use' && options.value('metadata') === 'full',
    ...(minScore === undefined || !format ? {} : { minScore }),
    dedup: format ? options.value('dedup') : 'none',
    ...(near === undefined ? {} : { near }),
    seed: options.value('seed'),
    ...(sample === undefined ? {} : { sample }),
    ...(perGroup === undefined ? {} : { perGroup }),
    ...(last === undefined ? {} : { last }),
    ...(maxRecords === undefined ? {} : { maxRecords }),
    splits,
    splitBy,
    ...(leaks && byNear ? { leakThreshold: near ?? SPLIT_NEAR } : {}),
  };
}

/** @throws ExportError for a flag that has no effect in the format */
function refuseIdle(options: Options, format: Format | undefined): void {
  const judged = format?.sampleKind === 'preference' || format?.sampleKind === 'label';
  for (const name of OPTION_NAMES) {
    const { formats } = OPTIONS[name];
    if (formats === undefined || !options.typed(name) || options.text(name) === 'none') continue;
    if (formats === 'judged' && !judged)
      throw options.wrong(
        name,
        `rows of ${format?.name ?? 'raw'} are no pairs: use trl-dpo, openai-dpo or kto`,
      );
    if (!format)
      throw new ExportError(
        'usage',
        `Cannot use --${name} here: whole records are written as they were logged`,
      );
  }
}

/**
 * Formats that train answers within the prompt contain each conversation once, at its longest. If only the last answer
 * is trained, each answer is a row of its own.
 */
function conversationsOf(
  options: Options,
  format: Format | undefined,
): Pick<CurationOptions, 'conversations' | 'unlogged' | 'branches'> {
  const chosen = options.value('conversations');
  const wish = options.value('unlogged-turns');
  const conversations = format ? (chosen ?? (format.loss === 'completion' ? 'turns' : 'collapse')) : 'turns';
  // If every answer has a row of its own, the longest branch is many rows rather than one.
  if (options.typed('branches') && conversations === 'turns')
    throw options.wrong('branches', 'each answer is a row of its own here: use --conversations collapse');
  const branches = conversations === 'turns' ? 'all' : options.value('branches');
  const how = { conversations, branches } as const;
  if (!format) return { ...how, unlogged: 'pass' };
  // Nothing within a prompt is trained, but the prompt itself may not be wanted.
  if (format.loss === 'completion') return { ...how, unlogged: wish === 'drop' ? 'drop' : 'pass' };
  if (format.loss === 'all') return { ...how, unlogged: wish };
  // No answer is trained in another's prompt then.
  return { ...how, unlogged: conversations === 'turns' && wish === 'mask' ? 'pass' : wish };
}

/** @throws ExportError if another option is about the feedback that is left out */
function feedbackOf(options: Options): 'use' | 'none' {
  const feedback = options.value('feedback');
  if (feedback === 'use') return feedback;
  const about = [
    ...(options.value('corrections') ? ['corrections'] : []),
    ...(options.value('min-score') === undefined ? [] : ['min-score']),
    ...(options.value('pairs') === 'feedback' ? ['pairs feedback'] : []),
  ];
  if (about.length > 0)
    throw options.wrong('feedback', `--${about[0]} is about feedback, so one of the two must go`);
  return feedback;
}
