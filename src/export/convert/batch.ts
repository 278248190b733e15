import type { LineProblem } from '../../logs/reader.ts';
import type { RecordFacts } from '../report/record-facts.ts';
import type { Feedback } from '../read/feedback.ts';
import type { Filter, RejectReason } from '../errors.ts';

/** The properties of a record that many rows share, stored once for all of them. */
export interface RowGroup {
  readonly model: string;
  readonly provider: string | null;
  readonly finish: string | null;
  readonly key: string | null;
  /** The value by which rows are balanced; empty without `--balance`. */
  readonly balanceBy: string;
}

/** A line that produced no row, for a reason other than an option. */
export interface LineTrouble {
  /** The index of the line within the batch. */
  readonly line: number;
  readonly kind: 'bad' | 'dropped';
  readonly reason: LineProblem | RejectReason;
}

export interface FeedbackLine extends Feedback {
  /** The index of the line within the batch. */
  readonly line: number;
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

export const FLAG = {
  /** The row is a conversation in JSON that is rendered at the end. */
  unrendered: 1,
  /** The answer is complete: what `--successful-only` keeps. */
  success: 2,
  /** The client identified the owner of the exchange: an end user, or a conversation id. */
  owned: 4,
  /**
   * The row trains fewer answers of its conversation than other rows of it: the oldest turns were removed, or it does not
   * define a tool that was called.
   */
  partial: 8,
  /** A text beside calls was left out because the format cannot express it. */
  omitted: 16,
  /** Answers of the prompt are quoted, because the format would train them otherwise. */
  quoted: 32,
} as const;

/** The positions of a row's hashes, in pairs of 32 bits. */
export const HASH = {
  /** The conversation including its answer. */
  conversation: 0,
  /** The prompt as it is written, with tools and system prompt. */
  prompt: 2,
  /** The same with the answer: equal rows are duplicates. */
  content: 4,
  /** The first user message: conversations with the same beginning go to the same split. */
  firstPrompt: 6,
  /** The client's conversation id, 0 if it sent none. */
  session: 8,
  /** The key, end user and conversation id: the owner of the exchange. */
  owner: 10,
  /** The id of the request, 0 if the log has none. */
  id: 12,
  /** Not a hash: when the record was written, milliseconds since the epoch, 0 if unknown. */
  written: 14,
} as const;

export const HASHES_PER_ROW = 16;

/** Stands for an unknown number of tokens. */
export const UNKNOWN_TOKENS = 0xffffffff;

/** The result of one chunk of lines: rows as text, and columns with the properties that later decisions need. */
export interface Batch {
  /** The number of lines in the chunk, including blank ones. */
  readonly lines: number;
  /** The number of lines that are not blank. */
  readonly filled: number;
  /** The number of answers beyond the first in records with several. */
  readonly furtherAnswers: number;
  /** Properties of the records that pass the filters; omitted without `--stats`. */
  readonly facts?: RecordFacts;
  readonly filtered: ReadonlyMap<Filter, number>;
  readonly dropped: ReadonlyMap<RejectReason, number>;
  readonly bad: ReadonlyMap<LineProblem, number>;
  readonly troubles: readonly LineTrouble[];
  readonly feedback: readonly FeedbackLine[];
  /** The number of redactions by kind. */
  readonly redacted: ReadonlyMap<string, number>;
  /** The rows, each with its line end. */
  readonly text: Uint8Array;
  /** The end offset of each row in `text`. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** The line of each row, by index within the batch. */
  readonly places: Uint32Array<ArrayBuffer>;
  readonly flags: Uint8Array<ArrayBuffer>;
  /** {@link HASHES_PER_ROW} numbers per row. */
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** The hashes after each answer in the prompts, in pairs; and where those of each row end. */
  readonly turns: Uint32Array<ArrayBuffer>;
  readonly turnEnds: Uint32Array<ArrayBuffer>;
  readonly inputTokens: Uint32Array<ArrayBuffer>;
  readonly outputTokens: Uint32Array<ArrayBuffer>;
  readonly groups: readonly RowGroup[];
  readonly groupOf: Uint32Array<ArrayBuffer>;
  /** Concatenated, all of one length; empty when none were requested. */
  readonly signatures: Uint8Array<ArrayBuffer>;
  /** See RowRoots in row-roots.ts: four numbers per row; empty when none were requested. */
  readonly roots: Uint32Array<ArrayBuffer>;
}
