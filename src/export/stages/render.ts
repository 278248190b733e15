/** Render: reads the records of the selected rows of one range again, and writes the rows. */
import type { LogInput } from '../../logs/input.ts';
import type { Task } from '../curate/task.ts';
import type { Settings } from '../options/settings.ts';
import type { PlainCounts } from '../report/counters.ts';
import type { PlainStats } from '../report/row-stats.ts';
import type { OutputFile } from '../write/sink.ts';
import type { DecisionFrame, TaskDetails } from './decide.ts';
import type { StagePlan } from './stage-plan.ts';
import { Inline } from '../convert/inline.ts';
import { Spool } from '../curate/table/spool.ts';
import { RowTable } from '../curate/table/row-table.ts';
import { ExportError } from '../errors.ts';
import { Counters } from '../report/counters.ts';
import { RowStats } from '../report/row-stats.ts';
import { writtenRows } from '../write/write-rows.ts';
import { numberAt, textAt } from './arrow/shape.ts';
import { KIND } from './columns.ts';
import { fetchLines } from './fetch-lines.ts';
import { RangeShards } from './range-shards.ts';
import { inputsOf, rangeOf, settingsOf } from './stage-plan.ts';
import { refuseChanged } from './unchanged.ts';

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

/** The size of the lines that are converted at once. */
const STEP_BYTES = 2 * 1024 ** 2;
/** The number of steps between two garbage collections: texts are far larger than the collector sees. */
const SWEEP_STEPS = 16;
const TEMPORARY = '-';

/** The index of a row by its record. */
interface RecordPlace {
  readonly file: number;
  readonly offset: number;
  readonly nth: number;
}

interface Decision extends RecordPlace {
  readonly line: number;
  readonly row: number;
  readonly seq: number;
  readonly split: number;
  readonly details: TaskDetails;
  readonly rejected: RecordPlace | undefined;
}

/** @param output the directory for shards @throws ExportError, InputError; the signal's reason when it aborts */
export async function render(
  plan: StagePlan,
  number: number,
  frames: AsyncIterable<DecisionFrame>,
  { output, signal }: { readonly output: string; readonly signal?: AbortSignal },
): Promise<RenderCounts> {
  // A number that the plan does not have is refused.
  rangeOf(plan, number);
  const settings = settingsOf(plan);
  const decisions = await decisionsIn(frames, number);
  const shards = new RangeShards(settings.sink, output, { range: number, ranges: plan.ranges.length });
  const table = new RowTable([], TEMPORARY);
  const spool = new Spool(TEMPORARY);
  try {
    const inline = await Inline.create(settings.plan);
    const records = new Records(plan, inline, { table, spool });
    await records.fetch(decisions, signal);
    const counted = await write(decisions, {
      range: number,
      records,
      inline,
      table,
      spool,
      shards,
      settings,
      signal,
    });
    return { stage: 'render', range: number, decisions: decisions.length, ...counted };
  } catch (error) {
    shards.discard();
    throw error;
  } finally {
    table.close();
    spool.close();
  }
}

async function decisionsIn(frames: AsyncIterable<DecisionFrame>, range: number): Promise<Decision[]> {
  const decisions: Decision[] = [];
  for await (const { rows, columns } of frames)
    for (let at = 0; at < rows; at++) {
      if (columns.kind[at] !== KIND.row) continue;
      if (columns.range[at] !== range)
        throw new ExportError(
          'failed',
          `Cannot render range ${range}: a decision is about range ${columns.range[at]}`,
        );
      const task = textAt(columns.task, at);
      decisions.push({
        row: columns.row[at]!,
        seq: columns.seq[at]!,
        file: columns.file[at]!,
        offset: numberAt(columns.offset, at),
        line: columns.line[at]!,
        nth: columns.nth[at]!,
        split: columns.split[at]!,
        details: task === '' ? {} : (JSON.parse(task) as TaskDetails),
        rejected:
          columns.rejected_file[at]! < 0
            ? undefined
            : {
                file: columns.rejected_file[at]!,
                offset: numberAt(columns.rejected_offset, at),
                nth: columns.rejected_nth[at]!,
              },
      });
    }
  return decisions.sort((a, b) => a.row - b.row || a.seq - b.seq);
}

/** The records of selected rows, converted as by extract. */
class Records {
  readonly #plan: StagePlan;
  readonly #inputs: readonly LogInput[];
  readonly #inline: Inline;
  readonly #table: RowTable;
  readonly #spool: Spool;
  /** The index of a row in the table by its record. */
  readonly #rows = new Map<string, number>();
  #steps = 0;

  constructor(plan: StagePlan, inline: Inline, { table, spool }: { table: RowTable; spool: Spool }) {
    this.#plan = plan;
    this.#inputs = inputsOf(plan);
    this.#inline = inline;
    this.#table = table;
    this.#spool = spool;
  }

  /** The records that decisions refer to. The worse answer of a pair may be in any range. */
  async fetch(decisions: readonly Decision[], signal: AbortSignal | undefined): Promise<void> {
    const wanted = new Map<number, Set<number>>();
    for (const decision of decisions)
      for (const place of [decision, decision.rejected])
        if (place) wanted.getOrInsertComputed(place.file, () => new Set()).add(place.offset);
    for (const [file, offsets] of [...wanted].toSorted(([a], [b]) => a - b)) {
      await refuseChanged(this.#plan.inputs[file]!);
      await this.#fetch(
        file,
        [...offsets].toSorted((a, b) => a - b),
        signal,
      );
    }
  }

  /** The index of a row in the table. */
  rowOf({ file, offset, nth }: RecordPlace): number {
    const row = this.#rows.get(`${file} ${offset} ${nth}`);
    if (row !== undefined) return row;
    throw new ExportError(
      'failed',
      `Cannot render: the line at byte ${offset} of ${this.#inputs[file]!.name} makes no row ${nth}, although extract found it`,
    );
  }

  async #fetch(file: number, offsets: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    const { memory } = this.#inline;
    let step = new Uint8Array(memory.take(STEP_BYTES));
    let [first, lines, bytes] = [0, 0, 0];
    const convert = async () => {
      await this.#convert(file, step.subarray(0, bytes), offsets.slice(first, first + lines));
      [first, lines, bytes] = [first + lines, 0, 0];
    };
    for await (const line of fetchLines(this.#inputs[file]!, offsets, signal)) {
      if (bytes + line.length > step.length) {
        if (lines > 0) await convert();
        step = new Uint8Array(memory.take(Math.max(STEP_BYTES, line.length)));
      }
      step.set(line, bytes);
      lines += 1;
      bytes += line.length;
    }
    if (lines > 0) await convert();
  }

  /** @param lines whole lines, in memory of the converter's, which takes it back */
  async #convert(file: number, lines: Uint8Array<ArrayBuffer>, offsets: readonly number[]): Promise<void> {
    if (++this.#steps % SWEEP_STEPS === 0) Bun.gc(true);
    const batch = await this.#inline.convert(lines);
    if (batch.ends.length > 0) {
      let nth = 0;
      for (const [at, line] of batch.places.entries()) {
        nth = at > 0 && batch.places[at - 1] === line ? nth + 1 : 0;
        this.#rows.set(`${file} ${offsets[line]} ${nth}`, this.#table.length + at);
      }
      this.#table.add(batch, { file, firstLine: 0, spooledAt: this.#spool.append(batch.text) });
    }
    this.#inline.release(batch);
  }
}

interface Writing {
  readonly range: number;
  readonly records: Records;
  readonly inline: Inline;
  readonly table: RowTable;
  readonly spool: Spool;
  readonly shards: RangeShards;
  readonly settings: Settings;
  readonly signal: AbortSignal | undefined;
}

async function write(
  decisions: readonly Decision[],
  { range, records, inline, table, spool, shards, settings, signal }: Writing,
): Promise<Pick<RenderCounts, 'counts' | 'stats' | 'outputs'>> {
  const counters = new Counters();
  const stats = new RowStats();
  const lineOf = new Map<number, string>();
  const { splits } = settings.sink;
  const splitOf = new Uint8Array(table.length);
  const tasks = decisions.map(({ details, rejected, split, ...place }): Task => {
    const row = records.rowOf(place);
    lineOf.set(row, `${range}:${place.file}:${place.line}`);
    splitOf[row] = split;
    return { row, ...details, ...(rejected ? { rejected: records.rowOf(rejected) } : {}) };
  });
  const rows = writtenRows(tasks, {
    table,
    spool,
    converters: inline,
    splits: splitOf,
    signal,
    onReject: (row, reject) => counters.drop(reject, lineOf.get(row)!),
    onRedacted: (hits) => counters.addRedacted(hits),
  });
  for await (const { split, bytes, rows: written } of rows) {
    for (const row of written) {
      stats.add(table.group(row), splits[split]!, table.flags(row));
      stats.spend(table.inputTokens(row), table.outputTokens(row));
    }
    await shards.write(splits[split]!, bytes, written.length);
  }
  return { counts: counters.plain, stats: stats.plain, outputs: await shards.finish() };
}
