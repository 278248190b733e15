import type { Format } from '../render/format.ts';
import type { PairSource } from './pairs.ts';
import type { Sample, Split } from '../../config/export/values.ts';

/** Which rows are selected, and what is made from them. */
export interface CurationOptions {
  /** `collapse`: each conversation once, at its longest. `turns`: every answer. */
  readonly conversations: 'collapse' | 'turns';
  /** Which branches of a conversation are kept: all, or the one with the most answers. */
  readonly branches: 'all' | 'longest';
  /** What the format trains in a conversation. */
  readonly loss: Format['loss'];
  /** What happens to answers within a prompt that are not in the log. `pass`: the format never trains a prompt. */
  readonly unlogged: 'mask' | 'drop' | 'keep' | 'pass';
  readonly sampleKind: 'sft' | 'preference' | 'label' | 'prompt';
  readonly pairs: PairSource;
  /** `none`: feedback has no influence. */
  readonly feedback: 'use' | 'none';
  readonly corrections: boolean;
  /** Whether rows contain the feedback scores of their answers. */
  readonly scores: boolean;
  readonly minScore?: number;
  readonly dedup: 'exact' | 'prompt' | 'none';
  /** The similarity from which rows are near duplicates. */
  readonly near?: number;
  readonly seed: number;
  readonly sample?: Sample;
  readonly perGroup?: number;
  readonly last?: number;
  readonly maxRecords?: number;
  /** A single one if nothing is split. */
  readonly splits: readonly Split[];
  /** The unit that is never divided between splits: conversations with the same beginning, or equal prompts. */
  readonly splitBy: 'conversation' | 'prompt';
  /** The similarity from which rows must not be in different splits; `undefined` if that is not checked. */
  readonly leakThreshold?: number;
}
