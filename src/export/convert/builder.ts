import type { RecordFacts } from '../report/record-facts.ts';
import type { LineProblem } from '../../logs/reader.ts';
import type { Filter, RejectReason } from '../errors.ts';
import type { TemplateRow } from './row-template.ts';
import type { Batch, RowGroup, FeedbackLine, LineTrouble } from './batch.ts';
import { bytes, Column, words } from '../curate/table/column.ts';

/** The initial size of the memory for rows. */
const TEXT_BYTES = 2 * 1024 ** 2;
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const BYTES_PER_UNIT = 3;
/** The number of places reported per reason unless all are requested. */
const PLACES = 3;

/** One row, as the converter passes it to the builder. */
export interface MadeRow {
  /** The text of the row, including its line end. */
  readonly text: string | TemplateRow;
  readonly flags: number;
  readonly hashes: ArrayLike<number>;
  readonly turns: ArrayLike<number>;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly group: RowGroup;
  readonly signature?: Uint8Array;
  readonly roots?: ArrayLike<number>;
}

/** Builds a {@link Batch}. */
export class BatchBuilder {
  readonly #verbose: boolean;
  #text: Buffer;
  #length = 0;
  readonly #ends = new Column(words);
  readonly #places = new Column(words);
  readonly #flags = new Column(bytes);
  readonly #hashes = new Column(words);
  readonly #turns = new Column(words);
  readonly #turnEnds = new Column(words);
  readonly #inputTokens = new Column(words);
  readonly #outputTokens = new Column(words);
  readonly #groupOf = new Column(words);
  readonly #signatures = new Column(bytes);
  readonly #roots = new Column(words);
  readonly #groups: RowGroup[] = [];
  /** The indexes of properties by model, since a log has few others. */
  readonly #groupsOf = new Map<string, number[]>();
  readonly #filtered = new Map<Filter, number>();
  readonly #dropped = new Map<RejectReason, number>();
  readonly #bad = new Map<LineProblem, number>();
  readonly #troubles: LineTrouble[] = [];
  readonly feedback: FeedbackLine[] = [];
  filled = 0;
  furtherAnswers = 0;
  facts: RecordFacts | undefined;

  /** @param memory for the text of the rows, used before: the first access to a page costs more than its bytes */
  constructor(verbose: boolean, memory: ArrayBufferLike = new ArrayBuffer(TEXT_BYTES)) {
    this.#verbose = verbose;
    this.#text = Buffer.from(memory);
  }

  filter(reason: Filter): void {
    this.#filtered.set(reason, (this.#filtered.get(reason) ?? 0) + 1);
  }

  drop(reason: RejectReason, line: number): void {
    this.#trouble(this.#dropped, reason, { line, kind: 'dropped', reason });
  }

  spoil(reason: LineProblem, line: number): void {
    this.#trouble(this.#bad, reason, { line, kind: 'bad', reason });
  }

  /** @param line the index of its line within the batch */
  add(row: MadeRow, line: number): void {
    this.#write(row.text);
    this.#ends.push(this.#length);
    this.#places.push(line);
    this.#flags.push(row.flags);
    this.#hashes.append(row.hashes);
    this.#turns.append(row.turns);
    this.#turnEnds.push(this.#turns.length);
    this.#inputTokens.push(row.inputTokens);
    this.#outputTokens.push(row.outputTokens);
    this.#groupOf.push(this.#group(row.group));
    if (row.signature) this.#signatures.append(row.signature);
    if (row.roots) this.#roots.append(row.roots);
  }

  /** The batch; the builder must not be used afterwards. */
  done(lines: number, redacted: ReadonlyMap<string, number>): Batch {
    return {
      lines,
      filled: this.filled,
      furtherAnswers: this.furtherAnswers,
      ...(this.facts ? { facts: this.facts } : {}),
      filtered: this.#filtered,
      dropped: this.#dropped,
      bad: this.#bad,
      troubles: this.#troubles,
      feedback: this.feedback,
      redacted,
      text: this.#text.subarray(0, this.#length),
      ends: this.#ends.values,
      places: this.#places.values,
      flags: this.#flags.values,
      hashes: this.#hashes.values,
      turns: this.#turns.values,
      turnEnds: this.#turnEnds.values,
      inputTokens: this.#inputTokens.values,
      outputTokens: this.#outputTokens.values,
      groups: this.#groups,
      groupOf: this.#groupOf.values,
      signatures: this.#signatures.values,
      roots: this.#roots.values,
    };
  }

  #trouble<Reason>(counts: Map<Reason, number>, reason: Reason, trouble: LineTrouble): void {
    const count = (counts.get(reason) ?? 0) + 1;
    counts.set(reason, count);
    if (this.#verbose || count <= PLACES) this.#troubles.push(trouble);
  }

  #write(text: string | TemplateRow): void {
    if (typeof text === 'string') {
      this.#makeRoom(text.length * BYTES_PER_UNIT);
      // Encoding in place costs half as much as joining strings first.
      this.#length += this.#text.write(text, this.#length);
    } else {
      this.#makeRoom(text.template.size(text.chat));
      this.#length = text.template.write(this.#text, this.#length, text);
    }
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#text.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * this.#text.length)));
    this.#text.copy(larger, 0, 0, this.#length);
    this.#text = larger;
  }

  #group(group: RowGroup): number {
    let known = this.#groupsOf.get(group.model);
    if (!known) this.#groupsOf.set(group.model, (known = []));
    let index = known.find((number) => sameGroup(this.#groups[number]!, group));
    if (index === undefined) known.push((index = this.#groups.push(group) - 1));
    return index;
  }
}

function sameGroup(a: RowGroup, b: RowGroup): boolean {
  return a.provider === b.provider && a.finish === b.finish && a.key === b.key && a.balanceBy === b.balanceBy;
}

/** The memory of a batch, to be transferred rather than copied; shared memory is left out. */
export function memoryOf(batch: Omit<Batch, 'text'> & Partial<Pick<Batch, 'text'>>): ArrayBuffer[] {
  const { text, ends, places, flags, hashes, turns, turnEnds, inputTokens, outputTokens, groupOf } = batch;
  const arrays = [ends, places, flags, hashes, turns, turnEnds, inputTokens, outputTokens, groupOf];
  const columns = [...arrays, batch.signatures, batch.roots].map((array) => array.buffer);
  return text?.buffer instanceof ArrayBuffer ? [text.buffer, ...columns] : columns;
}
