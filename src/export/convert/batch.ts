import type { LineProblem } from '../../logs/reader.ts';
import type { RecordFacts } from '../report/record-facts.ts';
import type { Feedback } from '../read/feedback.ts';
import type { Filter, RejectReason } from '../errors.ts';

/** The facts of a record that many rows share, stored once for all of them. */
export interface RowGroup {
  readonly model: string;
  readonly provider: string | null;
  readonly finish: string | null;
  readonly key: string | null;
  /** The value that rows are balanced by; empty without `--balance`. */
  readonly balanceBy: string;
}

/** A line that gave no row although no option leaves it out. */
export interface LineTrouble {
  /** The number of the line within the batch, from 0. */
  readonly line: number;
  readonly kind: 'bad' | 'dropped';
  readonly reason: LineProblem | RejectReason;
}

export interface FeedbackLine extends Feedback {
  /** The number of the line within the batch, from 0. */
  readonly line: number;
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

export const FLAG = {
  /** The row is an example in JSON, to be rendered at the end. */
  unrendered: 1,
  /** A complete answer of the model by its own end: what `--successful-only` keeps. */
  success: 2,
  /** The client said whose exchange it was: an end user, or a conversation id. */
  owned: 4,
  /** The oldest turns were cut off, as `--on-long trim-oldest` asks for. */
  trimmed: 8,
  /** The format has no place for a text of it, beside calls. */
  omitted: 16,
} as const;

/** Places of the hashes of a row, in pairs of 32 bits. */
export const HASH = {
  /** The conversation with its answer, as a link of its chain. */
  conversation: 0,
  /** The prompt as it is written, with tools and system prompt. */
  prompt: 2,
  /** The same with the answer: equal rows are duplicates. */
  content: 4,
  /** The first words of the user: conversations that begin alike are split alike. */
  firstPrompt: 6,
  /** The conversation id of the client, 0 when it gave none. */
  session: 8,
  /** Key, end user and conversation id: whose exchange it was. */
  owner: 10,
  /** The id of the request, 0 when the log has none. */
  id: 12,
  /** No hash: when the record was written, milliseconds since the epoch, 0 where it does not say. */
  written: 14,
} as const;

export const HASHES_PER_ROW = 16;

/** Stands for a number of tokens that is not known. */
export const UNKNOWN_TOKENS = 0xffffffff;

/** The result of one chunk of lines: rows as text, and columns with the facts that later decisions need. */
export interface Batch {
  /** Lines in the chunk, blank ones included. */
  readonly lines: number;
  /** Lines that are not blank. */
  readonly filled: number;
  /** Answers of records that hold several, but for the first of each. */
  readonly furtherAnswers: number;
  /** Facts about the records that the filters take; left out without `--stats`. */
  readonly facts?: RecordFacts;
  readonly filtered: ReadonlyMap<Filter, number>;
  readonly dropped: ReadonlyMap<RejectReason, number>;
  readonly bad: ReadonlyMap<LineProblem, number>;
  readonly troubles: readonly LineTrouble[];
  readonly feedback: readonly FeedbackLine[];
  /** Hits of redaction by kind. */
  readonly redacted: ReadonlyMap<string, number>;
  /** The rows, each with its line end. */
  readonly text: Uint8Array;
  /** The offset in `text` at which each row ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** The line each row is of, from 0 within the batch. */
  readonly places: Uint32Array<ArrayBuffer>;
  readonly flags: Uint8Array<ArrayBuffer>;
  /** {@link HASHES_PER_ROW} numbers a row. */
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** ConversationHash values behind each answer in the prompts, in pairs; where those of each row end. */
  readonly turns: Uint32Array<ArrayBuffer>;
  readonly turnEnds: Uint32Array<ArrayBuffer>;
  readonly inputTokens: Uint32Array<ArrayBuffer>;
  readonly outputTokens: Uint32Array<ArrayBuffer>;
  readonly groups: readonly RowGroup[];
  readonly groupOf: Uint32Array<ArrayBuffer>;
  /** One after the other, all of one length; empty when none were asked for. */
  readonly signatures: Uint8Array<ArrayBuffer>;
  /** See RowRoots in row-roots.ts: four numbers a row; empty when none were asked for. */
  readonly roots: Uint32Array<ArrayBuffer>;
}
