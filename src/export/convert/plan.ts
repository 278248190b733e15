import type { FormatName } from '../../config/export/options.ts';
import type { RenderOptions } from '../render/format.ts';
import type { ContentOptions } from '../conversation/messages.ts';
import type { RedactOptions } from '../../redact/redactor.ts';
import type { Selection } from '../read/selection.ts';

/** How each line is converted, independently of all others: plain data, so that it can go to another thread. */
export interface Plan {
  readonly selection: Selection;
  /** Whole records as they were parsed, instead of conversations. */
  readonly raw: boolean;
  readonly content: ContentOptions;
  /** `drop` leaves it out; a text stands in its place, or before a conversation that has none. */
  readonly system: 'keep' | 'drop' | { readonly text: string };
  readonly format: FormatName;
  readonly render: RenderOptions;
  /** How much of the record goes along with its row. */
  readonly metadata: 'none' | 'min' | 'full';
  /** Whether all rows stay examples in JSON until the log has been read, because feedback decides what becomes of them. */
  readonly unrendered: boolean;
  /**
   * Answers within a prompt. `draft`: left as an example, for the whole log decides which of them are trained. `mask`:
   * none is trained. `train`: as the format does it.
   */
  readonly earlier: 'unrendered' | 'mask' | 'train';
  readonly redact?: RedactOptions;
  /** Signatures of rows that are nearly the same, drawn from this seed. */
  readonly nearSeed?: number;
  /** The comparisons that need signatures: for duplicates, and for leaks between splits. */
  readonly compare: { readonly duplicates: boolean; readonly leaks: boolean };
  /** Rows get roots, by which rows that decide on each other meet: those of equal contents, or of equal prompts too. */
  readonly roots?: 'contents' | 'prompts';
  /** Count tokens by the tokenizer even where the log holds the provider's count. */
  readonly countTokens: boolean;
  /** Longest row in tokens, and what becomes of a longer one. */
  readonly maxTokens?: number;
  readonly onLong: 'drop' | 'trim-oldest';
  /** A field of the record by which rows are balanced, dots within: `model`, `tags.team`. */
  readonly balance?: string;
  /** Whether it is counted what the records are, for `--stats`. */
  readonly facts: boolean;
  /** Every bad line and dropped record is named, not only the first few. */
  readonly verbose: boolean;
}
