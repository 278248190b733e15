import type { FormatName } from '../../config/export/options.ts';
import type { RenderOptions } from '../render/format.ts';
import type { ContentOptions } from '../conversation/messages.ts';
import type { RedactOptions } from '../../redact/redactor.ts';
import type { Selection } from '../read/selection.ts';

/** How each line is converted, independently of all others: plain data that can be sent to another thread. */
export interface Plan {
  readonly selection: Selection;
  /** Whole parsed records instead of conversations. */
  readonly raw: boolean;
  readonly content: ContentOptions;
  /** `drop` removes it; a text replaces it, or is put before a conversation without one. */
  readonly system: 'keep' | 'drop' | { readonly text: string };
  readonly format: FormatName;
  readonly render: RenderOptions;
  /** How much of the record accompanies its row. */
  readonly metadata: 'none' | 'min' | 'full';
  /** Whether all rows are rendered after the log was read, because feedback decides what becomes of them. */
  readonly unrendered: boolean;
  /**
   * The answers within a prompt. `unrendered`: rendered later, since the whole log decides which of them are trained.
   * `mask`: none is trained. `train`: as the format does it.
   */
  readonly earlier: 'unrendered' | 'mask' | 'train';
  /** `none` ignores feedback lines. */
  readonly feedback: 'use' | 'none';
  readonly redact?: RedactOptions;
  /** Whether rows get signatures for near duplicates, with this seed. */
  readonly nearSeed?: number | undefined;
  /** The comparisons that need signatures: for duplicates, and for leaks between splits. */
  readonly compare: { readonly duplicates: boolean; readonly leaks: boolean };
  /**
   * Rows get roots, by which rows that affect each other meet: those with equal content, or with equal prompts as well.
   */
  readonly roots?: 'contents' | 'prompts';
  /** Whether to count tokens even if the log contains the provider's count. */
  readonly countTokens: boolean;
  /** The longest row in tokens, and what happens to a longer one. */
  readonly maxTokens?: number;
  readonly onLong: 'drop' | 'trim-oldest';
  /** A field of the record by which rows are balanced, with dots: `model`, `tags.team`. */
  readonly balance?: string;
  /** Whether the properties of records are counted, for `--stats`. */
  readonly facts: boolean;
  /** Whether every bad line and dropped record is reported, not only the first ones. */
  readonly verbose: boolean;
}
