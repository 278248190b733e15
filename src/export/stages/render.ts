/** Render: reads the records of the selected rows of one range again, and writes the rows. */
import type { Batch } from '../convert/batch.ts';
import type { Task } from '../curate/task.ts';
import type { Settings } from '../options/settings.ts';
import type { PlainCounts } from '../report/counters.ts';
import type { PlainStats } from '../report/row-stats.ts';
import type { OutputFile } from '../write/sink.ts';
import type { DecisionFrame } from './decide.ts';
import type { Decision, RecordPlace } from './decisions.ts';
import type { StagePlan } from './stage-plan.ts';
import { Inline } from '../convert/inline.ts';
import { RowTable } from '../curate/table/row-table.ts';
import { Spool } from '../curate/table/spool.ts';
import { Counters } from '../report/counters.ts';
import { RowStats } from '../report/row-stats.ts';
import { writtenRows } from '../write/write-rows.ts';
import { decisionsIn } from './decisions.ts';
import { RangeShards } from './range-shards.ts';
import type { SelectedBatch } from './selected-batches.ts';
import { selectedBatches } from './selected-batches.ts';
import { rangeOf, renderingOf, settingsOf } from './stage-plan.ts';

/** The counts of one range, which finish adds up. */
export interface RenderCounts {
  readonly stage: 'render';
  readonly range: number;
  readonly decisions: number;
  /** Places are `range:input:line`. */
  readonly counts: PlainCounts;
  readonly stats: PlainStats;
  readonly outputs: readonly OutputFile[];
}

/** The number of batches between two garbage collections: texts are far larger than the collector sees. */
const SWEEP_BATCHES = 64;
const TEMPORARY = '-';

/** @param output the directory for shards @throws ExportError, InputError; the signal's reason when it aborts */
export async function render(
  plan: StagePlan,
  number: number,
  frames: AsyncIterable<DecisionFrame>,
  { output, signal }: { readonly output: string; readonly signal?: AbortSignal },
): Promise<RenderCounts> {
  // A number that is not in the plan is refused.
  rangeOf(plan, number);
  const settings = settingsOf(plan);
  const decisions = await decisionsIn(frames, number);
  const inline = await Inline.create(renderingOf(settings));
  const shards = new RangeShards(settings.sink, output, { range: number, ranges: plan.ranges.length });
  const writer = new RangeWriter(plan, {
    range: number,
    settings,
    inline,
    shards,
    ...(signal && { signal }),
  });
  try {
    await writer.keepWorse(decisions);
    await writer.write(decisions);
    return { stage: 'render', range: number, decisions: decisions.length, ...(await writer.finish()) };
  } catch (error) {
    shards.discard();
    throw error;
  } finally {
    writer.close();
  }
}

interface WriterOptions {
  readonly range: number;
  readonly settings: Settings;
  readonly inline: Inline;
  readonly shards: RangeShards;
  readonly signal?: AbortSignal;
}

/** A decision, and its row in the table. */
interface Chosen {
  readonly decision: Decision;
  readonly row: number;
}

/** Writes the rows of a range. */
class RangeWriter {
  readonly #plan: StagePlan;
  readonly #options: WriterOptions;
  readonly #table = new RowTable([], TEMPORARY);
  readonly #texts = new RowTexts();
  /** The indexes in the table of rows with the worse answers of pairs, by their places. */
  readonly #worse = new Map<string, number>();
  readonly #counters = new Counters();
  readonly #stats = new RowStats();
  #batches = 0;

  constructor(plan: StagePlan, options: WriterOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  /** Reads the worse answers of all pairs, which may be in any range. */
  async keepWorse(decisions: readonly Decision[]): Promise<void> {
    const places = decisions
      .flatMap(({ rejected }) => rejected ?? [])
      .sort((a, b) => a.file - b.file || a.offset - b.offset);
    await this.#read(places, async (selected, found) => {
      const first = this.#add(selected.batch, this.#texts.keep(selected.batch.text));
      for (const [place, row] of found) this.#worse.set(nameOf(place), first + row);
    });
  }

  /** @param decisions in the order of the log */
  async write(decisions: readonly Decision[]): Promise<void> {
    await this.#read(decisions, async (selected, found) => {
      const first = this.#add(selected.batch, this.#texts.hold(selected.batch.text));
      await this.#write(found.map(([decision, row]) => ({ decision, row: first + row })));
    });
  }

  async finish(): Promise<Pick<RenderCounts, 'counts' | 'stats' | 'outputs'>> {
    const outputs = await this.#options.shards.finish();
    return { counts: this.#counters.plain, stats: this.#stats.plain, outputs };
  }

  close(): void {
    this.#table.close();
    this.#texts.close();
  }

  /**
   * Reads the records at some places.
   * @param use is called with the rows at places in one batch
   */
  async #read<Place extends RecordPlace>(
    places: readonly Place[],
    use: (selected: SelectedBatch, found: (readonly [Place, number])[]) => Promise<void>,
  ): Promise<void> {
    const { inline, signal } = this.#options;
    let next = 0;
    for await (const selected of selectedBatches(places, {
      plan: this.#plan,
      inline,
      ...(signal && { signal }),
    })) {
      const found: (readonly [Place, number])[] = [];
      for (let line = 0; line < selected.lines; line++)
        for (; next < places.length && selected.holds(line, places[next]!); next++)
          found.push([places[next]!, selected.rowOf(line, places[next]!)]);
      await use(selected, found);
      if (++this.#batches % SWEEP_BATCHES === 0) Bun.gc(true);
    }
  }

  /** @returns the index of the batch's first row in the table */
  #add(batch: Batch, spooledAt: number): number {
    const first = this.#table.length;
    // A line that yielded a row when it was extracted may yield none now, which has been reported by then.
    if (batch.ends.length > 0) this.#table.add(batch, { file: 0, firstLine: 0, spooledAt });
    return first;
  }

  async #write(chosen: readonly Chosen[]): Promise<void> {
    const { range, settings, inline, shards, signal } = this.#options;
    const table = this.#table;
    const { splits } = settings.sink;
    const decided = new Map(chosen.map(({ decision, row }) => [row, decision]));
    const tasks = chosen.map(({ decision: { details, rejected }, row }): Task => ({
      row,
      ...details,
      ...(rejected ? { rejected: this.#worse.get(nameOf(rejected))! } : {}),
    }));
    const rows = writtenRows(tasks, {
      table,
      texts: this.#texts,
      converters: inline,
      splitOf: (row) => decided.get(row)!.split,
      ...(signal && { signal }),
      onReject: (row, reject) => {
        const { file, line } = decided.get(row)!;
        this.#counters.drop(reject, `${range}:${file}:${line}`);
      },
      onRedacted: (hits) => this.#counters.addRedacted(hits),
    });
    for await (const { split, bytes, rows: written } of rows) {
      for (const row of written) {
        this.#stats.add(table.group(row), splits[split]!, table.flags(row));
        this.#stats.spend(table.inputTokens(row), table.outputTokens(row));
      }
      await shards.write(splits[split]!, bytes, written.length);
    }
  }
}

/** The texts of rows: in a file those that are kept, in memory those of the batch that is being written. */
class RowTexts {
  #spool: Spool | undefined;
  #held: Uint8Array = new Uint8Array();
  #heldAt = 0;

  /** @returns the offset of the texts */
  keep(texts: Uint8Array): number {
    this.#spool ??= new Spool(TEMPORARY);
    return this.#spool.append(texts);
  }

  /** Makes texts readable until the next call. @returns their offset */
  hold(texts: Uint8Array): number {
    this.#heldAt = Math.max(this.#heldAt + this.#held.length, this.#spool?.length ?? 0);
    this.#held = texts;
    return this.#heldAt;
  }

  /** Fills the memory from an offset. */
  read(into: Uint8Array, at: number): void {
    if (at < this.#heldAt) this.#spool!.read(into, at);
    else into.set(this.#held.subarray(at - this.#heldAt, at - this.#heldAt + into.length));
  }

  close(): void {
    this.#spool?.close();
  }
}

function nameOf({ file, offset, nth }: RecordPlace): string {
  return `${file} ${offset} ${nth}`;
}
