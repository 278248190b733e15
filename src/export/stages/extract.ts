/** Extract: reads one range of the logs, and outputs what decisions need to know about each candidate row. */
import type { LogInput } from '../../logs/input.ts';
import type { Batch } from '../convert/batch.ts';
import type { PlainCounts } from '../report/counters.ts';
import type { BatchPlaces, Companion, RowFrame } from './row-frames.ts';
import type { PlannedPart, StagePlan } from './stage-plan.ts';
import { sideBySide } from '../../logs/side-by-side.ts';
import { FLAG, HASH, HASHES_PER_ROW } from '../convert/batch.ts';
import { Converter } from '../convert/converter.ts';
import { Counters } from '../report/counters.ts';
import { KIND } from './columns.ts';
import { partBatches } from './part-batches.ts';
import { companionFrame, rowFrame } from './row-frames.ts';
import { extractionOf, inputsOf, rangeOf, settingsOf } from './stage-plan.ts';
import { refuseChanged } from './unchanged.ts';

/** The counts of one range, which finish adds up. */
export interface ExtractCounts {
  readonly stage: 'extract';
  readonly range: number;
  /** The number of candidates. */
  readonly rows: number;
  readonly parts: readonly PartCounts[];
  /** Places are `part:line`, both from 0. */
  readonly counts: PlainCounts;
}

interface PartCounts {
  readonly input: number;
  /** The number of lines, including blank and bad ones. */
  readonly lines: number;
  /** The size of whole lines, decompressed, bytes. */
  readonly bytes: number;
}

/** What decide must know about a range before it decides on any row. */
export interface RangeNote {
  /** The latest time at which each of several workers wrote a row of the range, by the index of its first input. */
  readonly lastWritten?: Readonly<Record<string, number>>;
  /** Whether the oldest turns of some row were removed. */
  readonly partial?: true;
}

/** @throws ExportError, InputError; the signal's reason when it aborts */
export async function extract(
  plan: StagePlan,
  number: number,
  { write, signal }: { readonly write: (frame: RowFrame) => Promise<void>; readonly signal?: AbortSignal },
): Promise<void> {
  const range = rangeOf(plan, number);
  for (const { input } of range.parts) await refuseChanged(plan.inputs[input]!);
  const inputs = inputsOf(plan);
  const extraction = new Extraction(number, inputs);
  const converter = await Converter.create(extractionOf(settingsOf(plan)));
  for (const part of range.parts) {
    extraction.begin(part);
    for await (const made of partBatches(converter, inputs[part.input]!, part, signal)) {
      if (made.wrong !== undefined) extraction.spoil(made.wrong);
      else if (made.batch.lines > 0) await write(extraction.add(made.batch, made.lines));
    }
  }
  await write(extraction.companions());
}

/** The state of reading a range. */
class Extraction {
  readonly #range: number;
  readonly #counters = new Counters();
  /** For each input, the index of its worker's first input, if several wrote in parallel. */
  readonly #hands: readonly number[] | undefined;
  readonly #lastWritten = new Map<number, number>();
  readonly #parts: { input: number; lines: number; bytes: number }[] = [];
  readonly #feedback: Companion[] = [];
  readonly #strays = new Map<string, { readonly hi: number; readonly lo: number }>();
  #rows = 0;
  #partial = false;

  constructor(range: number, inputs: readonly LogInput[]) {
    this.#range = range;
    this.#hands = sideBySide(inputs)?.hands;
  }

  begin({ input }: PlannedPart): void {
    this.#parts.push({ input, lines: 0, bytes: 0 });
  }

  spoil(problem: 'too_long' | 'damaged_file'): void {
    const part = this.#part;
    // Damaged data is in the place of lines, but does not count as one.
    if (problem === 'too_long') this.#counters.lines += 1;
    this.#counters.spoil(problem, this.#place(0));
    part.lines += 1;
  }

  add(batch: Batch, lines: { readonly starts: readonly number[]; readonly bytes: number }): RowFrame {
    const part = this.#part;
    this.#counters.add(batch, (line) => this.#place(line));
    for (const { line, writtenMs, ...given } of batch.feedback)
      this.#feedback.push({
        kind: KIND.feedback,
        file: part.input,
        line: part.lines + line,
        writtenMs,
        payload: given,
      });
    this.#findStrays(batch);
    this.#partial ||= batch.flags.some((flag) => (flag & FLAG.partial) !== 0);
    const places: BatchPlaces = {
      range: this.#range,
      firstRow: this.#rows,
      file: part.input,
      firstLine: part.lines,
      starts: lines.starts,
      written: this.#written(batch),
    };
    part.lines += batch.lines;
    part.bytes += lines.bytes;
    this.#rows += batch.ends.length;
    return rowFrame(batch, places);
  }

  companions(): RowFrame {
    const note: RangeNote = {
      ...(this.#lastWritten.size > 0 ? { lastWritten: Object.fromEntries(this.#lastWritten) } : {}),
      ...(this.#partial ? { partial: true } : {}),
    };
    const counts: ExtractCounts = {
      stage: 'extract',
      range: this.#range,
      rows: this.#rows,
      parts: this.#parts,
      counts: this.#counters.plain,
    };
    return companionFrame(this.#range, [
      ...this.#feedback,
      ...this.#strays.values().map((root): Companion => ({ kind: KIND.stray, root })),
      ...(Object.keys(note).length > 0 ? [{ kind: KIND.note, payload: note }] : []),
      { kind: KIND.counts, payload: counts },
    ]);
  }

  get #part() {
    return this.#parts.at(-1)!;
  }

  #place(line: number): string {
    return `${this.#parts.length - 1}:${this.#part.lines + line}`;
  }

  /** Rows that are written alike may have different beginnings: rows with either of them must then meet. */
  #findStrays({ roots }: Batch): void {
    for (let at = 0; at < roots.length; at += 4) {
      if (roots[at] === roots[at + 2] && roots[at + 1] === roots[at + 3]) continue;
      for (const from of [at, at + 2])
        this.#strays.set(`${roots[from]} ${roots[from + 1]}`, { hi: roots[from]!, lo: roots[from + 1]! });
    }
  }

  /** When rows were written; with several parallel workers, never earlier than the preceding row of the same worker. */
  #written({ hashes, ends }: Batch): number[] {
    const hand = this.#hands?.[this.#part.input];
    const times: number[] = [];
    for (let row = 0; row < ends.length; row++) {
      const at = row * HASHES_PER_ROW + HASH.written;
      const time = hashes[at]! * 2 ** 32 + hashes[at + 1]!;
      const lastMs = hand === undefined ? 0 : (this.#lastWritten.get(hand) ?? 0);
      times.push(Math.max(time, lastMs));
      if (hand !== undefined) this.#lastWritten.set(hand, Math.max(time, lastMs));
    }
    return times;
  }
}
