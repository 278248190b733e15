/** Converts selected lines of the inputs, some at a time. */
import type { LogInput } from '../../logs/input.ts';
import type { Batch } from '../convert/batch.ts';
import type { Inline } from '../convert/inline.ts';
import type { RecordPlace } from './decisions.ts';
import type { StagePlan } from './stage-plan.ts';
import { ExportError } from '../errors.ts';
import { fetchLines } from './fetch-lines.ts';
import { inputsOf } from './stage-plan.ts';
import { refuseChanged } from './unchanged.ts';

/** The size of the lines that are converted at once. */
const STEP_BYTES = 2 * 1024 ** 2;

/** The rows of some lines of one input. */
export class SelectedBatch {
  readonly batch: Batch;
  readonly #input: LogInput;
  readonly #file: number;
  /** The offsets of its lines. */
  readonly #offsets: readonly number[];
  /** The index of the first row of each line, and the number of rows at the end. */
  readonly #first: Uint32Array;

  constructor(batch: Batch, { input, file, offsets }: Selection) {
    this.batch = batch;
    this.#input = input;
    this.#file = file;
    this.#offsets = offsets;
    this.#first = new Uint32Array(offsets.length + 1);
    for (const line of batch.places) this.#first[line + 1]! += 1;
    for (let line = 0; line < offsets.length; line++) this.#first[line + 1]! += this.#first[line]!;
  }

  /** The number of lines. */
  get lines(): number {
    return this.#offsets.length;
  }

  /** Whether a row is in one of the lines, by the index of the line. */
  holds(line: number, { file, offset }: RecordPlace): boolean {
    return this.#file === file && this.#offsets[line] === offset;
  }

  /**
   * The index of a row within the batch.
   * @param line the index of its line
   * @throws ExportError when the line makes no such row
   */
  rowOf(line: number, { nth }: RecordPlace): number {
    const row = this.#first[line]! + nth;
    if (row < this.#first[line + 1]!) return row;
    throw new ExportError(
      'failed',
      `Cannot render: the line at byte ${this.#offsets[line]} of ${this.#input.name} makes no row ${nth}, although extract found it`,
    );
  }
}

/** Some lines of one input. */
interface Selection {
  readonly input: LogInput;
  /** The index of the input. */
  readonly file: number;
  readonly offsets: readonly number[];
}

/**
 * The rows of the lines at some places. Each batch is valid until the next one is requested.
 * @param places by file and offset, ascending; several may be in the same line
 * @throws ExportError when there is no line at an offset, or an input has changed; InputError
 */
export async function* selectedBatches(
  places: readonly RecordPlace[],
  {
    plan,
    inline,
    signal,
  }: { readonly plan: StagePlan; readonly inline: Inline; readonly signal?: AbortSignal },
): AsyncGenerator<SelectedBatch> {
  const inputs = inputsOf(plan);
  for (let from = 0; from < places.length;) {
    const { file } = places[from]!;
    const offsets: number[] = [];
    for (; places[from]?.file === file; from++)
      if (places[from]!.offset !== offsets.at(-1)) offsets.push(places[from]!.offset);
    await refuseChanged(plan.inputs[file]!);
    yield* batchesOf({ input: inputs[file]!, file, offsets }, inline, signal);
  }
}

async function* batchesOf(
  { input, file, offsets }: Selection,
  inline: Inline,
  signal: AbortSignal | undefined,
): AsyncGenerator<SelectedBatch> {
  const { memory } = inline;
  let step = new Uint8Array(memory.take(STEP_BYTES));
  let [first, lines, bytes] = [0, 0, 0];
  const converted = async function* () {
    const batch = await inline.convert(step.subarray(0, bytes));
    yield new SelectedBatch(batch, { input, file, offsets: offsets.slice(first, first + lines) });
    inline.release(batch);
    [first, lines, bytes] = [first + lines, 0, 0];
  };
  for await (const line of fetchLines(input, offsets, signal)) {
    if (bytes + line.length > step.length) {
      if (lines > 0) yield* converted();
      step = new Uint8Array(memory.take(Math.max(STEP_BYTES, line.length)));
    }
    step.set(line, bytes);
    lines += 1;
    bytes += line.length;
  }
  if (lines > 0) yield* converted();
}
