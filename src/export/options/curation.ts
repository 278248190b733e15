import type { CurationOptions } from '../curate/options.ts';
import type { Sample } from '../curate/sample.ts';
import type { Split } from '../curate/split.ts';
import type { FlagName } from './flags.ts';
import type { Format } from '../render/format.ts';
import type { Picker } from './picker.ts';
import { ExportError } from '../errors.ts';

/** The similarity from which rows may not lie in different splits, by default. */
const SPLIT_NEAR = 0.8;
const ALL: readonly Split[] = [{ name: 'train', share: 1 }];

/** Which rows of the wanted records are written. @param format `undefined` for whole records */
export function curationOf(picker: Picker, format: Format | undefined): CurationOptions {
  const near = picker.given('near-dup') && picker.text('near-dup') !== 'none' ? nearOf(picker) : undefined;
  const splits = picker.read('split', splitsIn, 'shares that add up to 1: train=0.9,validation=0.1') ?? ALL;
  const splitBy = picker.oneOf('split-by', ['conversation', 'prompt']) ?? 'conversation';
  if (picker.typed('split-by') && splits.length < 2)
    throw picker.wrong('split-by', 'there is one split: give --split');
  const sample = picker.read('sample', sampleIn, 'a number of rows, or a share such as 10%');
  const perGroup = picker.whole('per-group', 1);
  if ((perGroup === undefined) !== !picker.given('balance'))
    throw new ExportError('usage', 'Cannot balance rows: --balance FIELD and --per-group N go together');
  const minScore = picker.number('min-score', -1, 1);
  const pairs = picker.oneOf('pairs', ['feedback', 'regenerations', 'both']);
  refuseIdle(picker, format);
  const dedup = picker.oneOf('dedup', ['exact', 'prompt', 'none']);
  const last = picker.whole('last', 1);
  const maxRecords = picker.whole('max-records', 1);
  return {
    ...conversationsOf(picker, format),
    sampleKind: format?.sampleKind ?? 'sft',
    pairs: pairs ?? 'both',
    corrections: format !== undefined && picker.on('corrections'),
    ...(minScore === undefined || !format ? {} : { minScore }),
    dedup: format ? (dedup ?? 'exact') : 'none',
    ...(near === undefined || !format ? {} : { near }),
    seed: picker.whole('seed', 0) ?? 0,
    ...(sample === undefined ? {} : { sample }),
    ...(perGroup === undefined ? {} : { perGroup }),
    ...(last === undefined ? {} : { last }),
    ...(maxRecords === undefined ? {} : { maxRecords }),
    splits,
    splitBy,
    ...(splits.length > 1 &&
    format &&
    (near !== undefined || (splitBy === 'conversation' && !picker.given('near-dup')))
      ? { leakThreshold: near ?? SPLIT_NEAR }
      : {}),
  };
}

/** What is made of conversations and of what people said of them: nothing, where records are written as they are. */
const OF_CONVERSATIONS = [
  'conversations',
  'unlogged-turns',
  'dedup',
  'near-dup',
  'min-score',
  'corrections',
  'max-tokens',
  'count-tokens',
  'reasoning',
  'refusals',
  'images',
  'tool-args',
  'system',
  'merge-turns',
  'metadata',
] as const satisfies readonly FlagName[];

/** @throws ExportError for a flag that would change nothing */
function refuseIdle(picker: Picker, format: Format | undefined): void {
  const idle = format
    ? undefined
    : OF_CONVERSATIONS.find((name) => picker.typed(name) && picker.text(name) !== 'none');
  if (idle !== undefined)
    throw new ExportError(
      'usage',
      `Cannot use --${idle} here: whole records are written as they were logged`,
    );
  if (picker.typed('pairs') && format?.sampleKind !== 'preference' && format?.sampleKind !== 'label')
    throw picker.wrong(
      'pairs',
      `rows of ${format?.name ?? 'raw'} are no pairs: use trl-dpo, openai-dpo or kto`,
    );
}

/**
 * Formats that train answers within the prompt have each conversation once, at its longest. Where only the last answer
 * is trained, each answer is a row of its own.
 */
function conversationsOf(
  picker: Picker,
  format: Format | undefined,
): Pick<CurationOptions, 'conversations' | 'unlogged'> {
  const asked = picker.oneOf('conversations', ['collapse', 'turns']);
  const wish = picker.oneOf('unlogged-turns', ['mask', 'drop', 'keep']) ?? 'mask';
  if (!format) return { conversations: 'turns', unlogged: 'pass' };
  if (format.loss === 'completion') return { conversations: asked ?? 'turns', unlogged: 'pass' };
  const conversations = asked ?? 'collapse';
  if (format.loss === 'all') return { conversations, unlogged: wish === 'keep' ? 'keep' : 'drop' };
  // Where every answer has a row of its own, none is trained in another's prompt.
  return { conversations, unlogged: conversations === 'turns' && wish === 'mask' ? 'pass' : wish };
}

function nearOf(picker: Picker): number | undefined {
  return picker.number('near-dup', 0.5, 1);
}

function sampleIn(text: string): Sample | undefined {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (share !== undefined)
    return Number(share) > 0 && Number(share) <= 100 ? { share: Number(share) / 100 } : undefined;
  return /^[1-9]\d*$/.test(text) ? { rows: Number(text) } : undefined;
}

function splitsIn(text: string): readonly Split[] | undefined {
  const splits = text.split(',').map((part) => {
    const [, name, share] = /^\s*([A-Za-z][\w-]*)\s*=\s*(\d*\.?\d+)\s*$/.exec(part) ?? [];
    return { name: name ?? '', share: Number(share) };
  });
  const total = splits.reduce((sum, { share }) => sum + share, 0);
  const sound = splits.every(({ name, share }) => name !== '' && share > 0);
  const names = new Set(splits.map(({ name }) => name));
  return sound && names.size === splits.length && splits.length < 256 && Math.abs(total - 1) < 1e-6
    ? splits
    : undefined;
}
