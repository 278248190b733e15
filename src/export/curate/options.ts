import type { Format } from '../render/format.ts';
import type { PairSource } from './pairs.ts';
import type { Sample, Split } from '../../config/export/values.ts';

/** Which rows are to be chosen, and what is made of them. */
export interface CurationOptions {
  /** `collapse`: a conversation once, at its longest. `turns`: every answer. */
  readonly conversations: 'collapse' | 'turns';
  /** Which branches of a conversation are kept: all, or the one with the most answers. */
  readonly branches: 'all' | 'longest';
  /** What the format trains of a conversation. */
  readonly loss: Format['loss'];
  /** Answers within a prompt that the log does not show. `pass`: the format never trains a prompt. */
  readonly unlogged: 'mask' | 'drop' | 'keep' | 'pass';
  readonly sampleKind: 'sft' | 'preference' | 'label' | 'prompt';
  readonly pairs: PairSource;
  /** `none`: what people said of answers decides on nothing. */
  readonly feedback: 'use' | 'none';
  readonly corrections: boolean;
  /** Whether rows say what score feedback gave their answers. */
  readonly scores: boolean;
  readonly minScore?: number;
  readonly dedup: 'exact' | 'prompt' | 'none';
  /** Least similarity at which rows count as nearly the same. */
  readonly near?: number;
  readonly seed: number;
  readonly sample?: Sample;
  readonly perGroup?: number;
  readonly last?: number;
  readonly maxRecords?: number;
  /** A single one when nothing is split. */
  readonly splits: readonly Split[];
  /** The unit that is never divided between splits: conversations that begin alike, or equal prompts. */
  readonly splitBy: 'conversation' | 'prompt';
  /** The similarity from which rows may not lie in different splits; `undefined` when that is not checked. */
  readonly leakThreshold?: number;
}
