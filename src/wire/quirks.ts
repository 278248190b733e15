import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';

/** What a vendor does otherwise than the protocol it speaks, as data. */
export interface Quirks {
  /** Fields of a request that it refuses. */
  readonly drops?: readonly string[];
  /** Fields that it knows by another name. */
  readonly renames?: Readonly<Record<string, string>>;
  /** Numbers that it takes from a narrower range, both ends included. */
  readonly clamps?: Readonly<Record<string, readonly [number, number]>>;
  /** Words that it has others for, by field. */
  readonly words?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Fields that every request carries, unless the client says otherwise. */
  readonly sets?: JsonObject;
  /** What its ids of tool calls look like; other ids are replaced. */
  readonly toolIds?: 'nine_alphanumerics';
  /**
   * What becomes of the reasoning in earlier answers: given back as `reasoning_content` (of every answer, empty where
   * there is none, or of those that have it), or left out.
   */
  readonly reasoning?: 'every_turn' | 'where_known' | 'left_out';
  /** Its count of output tokens leaves reasoning out. */
  readonly outputWithoutReasoning?: true;
  /** More of this for some models; the first row whose pattern matches counts. */
  readonly models?: readonly { readonly match: RegExp; readonly quirks: Omit<Quirks, 'models'> }[];
}
