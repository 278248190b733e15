/** A format of training data: a renderer, a checker, and the facts that other parts need. */
import type { FormatName } from '../../config/export/options.ts';
import type { ReasoningPlace } from '../../config/export/values.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation/conversation.ts';

export interface Format {
  /** The name that `--format` takes. */
  readonly name: FormatName;
  /** One line for the help text and the docs: who loads it. */
  readonly summary: string;
  /**
   * What its rows are made of. `sft`: a conversation. `preference`: a conversation with a rejected answer. `label`: one
   * with a judgement. `prompt`: the conversation's prompt, its answer being the reference.
   */
  readonly sampleKind: 'sft' | 'preference' | 'label' | 'prompt';
  /**
   * How answers within the prompt can be shown without being trained. `per_turn`: each is marked by a weight or a flag.
   * `completion`: only the last answer is trained at all. `all`: all are trained, always.
   */
  readonly loss: 'per_turn' | 'completion' | 'all';
  /** The default of `--reasoning`. */
  readonly reasoning: 'drop' | 'keep';
  /** Messages take a field for what was thought, of whatever name `--reasoning field=NAME` says. */
  readonly anyReasoningField?: true;
  /** Whether rows may hold a `metadata` key that loaders pass over. */
  readonly extras: boolean;
  /** Whether what is said decides on the row, beyond being part of it: reserved words in a text make it be rejected. */
  readonly readsTexts?: true;
  /** The top-level keys of a row, for dataset cards and Parquet. */
  readonly columns: readonly Column[];
  /**
   * The row. Keys of `undefined` are never there.
   * @throws RejectError when the example breaks a rule of the format that cannot be mended
   */
  readonly render: (example: Example, options: RenderOptions) => JsonObject;
  /**
   * What is wrong with a row of any origin by the rules of who loads it: "messages[2].role: ...". Empty when sound.
   */
  readonly check: (row: JsonObject) => string[];
  /** Checks the size of a file. @returns problems; none when it is within the bounds of the format */
  readonly checkFile?: (file: { readonly rows: number; readonly bytes: number }) => string[];
}

export interface Column {
  readonly name: string;
  /** `json`: any value. `jsons`: a list of objects that differ in their keys. */
  readonly type: 'jsons' | 'json' | 'string' | 'bool' | 'number';
  /** Rows may lack it. */
  readonly optional?: true;
}

export interface RenderOptions {
  /** `keep`: in the field the format knows. `inline`: as <think>...</think> before the text. Else a field's name. */
  readonly reasoning: ReasoningPlace;
  /** How tool arguments are written; the format's own way when left out. */
  readonly toolArguments?: 'object' | 'string';
  /** Called when a row lacks a text beside calls, which the format has no place for. */
  readonly onOmitted?: () => void;
  /** Join turns of one role that follow each other, also where the format could take them apart. */
  readonly mergeTurns: boolean;
}
