/** A format of training data: a renderer, a checker, and the facts that other parts need. */
import type { FormatName } from '../../config/export/options.ts';
import type { ReasoningPlace } from '../../config/export/values.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation/conversation.ts';

export interface Format {
  /** The name that `--format` takes. */
  readonly name: FormatName;
  /** One line for the help text and the docs: which trainers load it. */
  readonly summary: string;
  /**
   * What its rows consist of. `sft`: a conversation. `preference`: a conversation with a rejected answer. `label`: one
   * with a judgement. `prompt`: the conversation's prompt, with its answer as the reference.
   */
  readonly sampleKind: 'sft' | 'preference' | 'label' | 'prompt';
  /**
   * How answers within the prompt can be shown without being trained. `per_turn`: each can be marked by a weight or a
   * flag. `completion`: only the last answer is trained. `all`: all are always trained.
   */
  readonly loss: 'per_turn' | 'completion' | 'all';
  /** The default of `--reasoning`. */
  readonly reasoning: 'drop' | 'keep';
  /** Whether messages may have a field for reasoning, with the name in `--reasoning field=NAME`. */
  readonly anyReasoningField?: true;
  /** Whether rows may have a `metadata` key, which loaders ignore. */
  readonly extras: boolean;
  /** Whether the content of texts affects the row beyond being part of it: reserved words make it invalid. */
  readonly readsTexts?: true;
  /** The top-level keys of a row, for dataset cards and Parquet. */
  readonly columns: readonly Column[];
  /**
   * Renders the row. Keys with the value `undefined` are omitted.
   * @throws RejectError when the example violates a rule of the format that cannot be fixed
   */
  readonly render: (example: Example, options: RenderOptions) => JsonObject;
  /**
   * The problems of a row from any source by the rules of its loader: "messages[2].role: ...". Empty when it is valid.
   */
  readonly check: (row: JsonObject) => string[];
  /** Checks the size of a file. @returns problems; none when it is within the limits of the format */
  readonly checkFile?: (file: { readonly rows: number; readonly bytes: number }) => string[];
}

export interface Column {
  readonly name: string;
  /** `json`: any value. `jsons`: a list of objects with different keys. */
  readonly type: 'jsons' | 'json' | 'string' | 'bool' | 'number';
  /** Whether rows may lack it. */
  readonly optional?: true;
}

export interface RenderOptions {
  /**
   * `keep`: in the format's own field. `inline`: as <think>...</think> before the text. Otherwise the name of a field.
   */
  readonly reasoning: ReasoningPlace;
  /** How tool arguments are written; as usual for the format by default. */
  readonly toolArguments?: 'object' | 'string';
  /** Called when a row lacks a text beside calls, which the format cannot express. */
  readonly onOmitted?: () => void;
  /** Whether to join consecutive turns of one role, even if the format allows them. */
  readonly mergeTurns: boolean;
}
