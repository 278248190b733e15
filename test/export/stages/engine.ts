/** Runs an export in stages within this process, and carries rows from stage to stage as an engine does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Report } from '../../../src/export/report/report.ts';
import type { DecisionFrame } from '../../../src/export/stages/decide.ts';
import type { RowFrame } from '../../../src/export/stages/row-frames.ts';
import type { StagePlan } from '../../../src/export/stages/stage-plan.ts';
import { parseFlags } from '../../../src/export/options/flags.ts';
import { runExport } from '../../../src/export/run.ts';
import { resolveSettings } from '../../../src/export/options/settings.ts';
import { framesIn } from '../../../src/export/stages/arrow/decode.ts';
import type { Shape } from '../../../src/export/stages/arrow/shape.ts';
import { textAt } from '../../../src/export/stages/arrow/shape.ts';
import { joinFrames, takeRows } from '../../../src/export/stages/arrow/take-rows.ts';
import { DECISION_COLUMNS, KIND, ROW_COLUMNS } from '../../../src/export/stages/columns.ts';
import { decide } from '../../../src/export/stages/decide.ts';
import { Exchange } from '../../../src/export/stages/exchange/exchange.ts';
import { extract } from '../../../src/export/stages/extract.ts';
import { finish } from '../../../src/export/stages/finish.ts';
import { FrameWriter } from '../../../src/export/stages/frame-writer.ts';
import { makePlan } from '../../../src/export/stages/make-plan.ts';
import { render } from '../../../src/export/stages/render.ts';
import { readPlan } from '../../../src/export/stages/stage-plan.ts';
import type { Random } from './logs.ts';

const NOW_MS = Date.UTC(2026, 10, 25);

export interface Outcome {
  readonly report: Report;
  /** The rows of each split. */
  readonly rows: Readonly<Record<string, string>>;
}

function sourcesOf(argv: readonly string[]) {
  const env = { values: {}, inputs: [] };
  return { flags: parseFlags(argv), env, terminal: false, nowMs: NOW_MS, argv };
}

/** Runs the same flags in one process. */
export async function inOneProcess(argv: readonly string[], output: string): Promise<Outcome> {
  const settings = resolveSettings(sourcesOf([...argv, '-o', `${output}/`]));
  const { report } = await runExport({ ...settings, threads: 0 });
  return { report, rows: rowsIn(output, report) };
}

function flagsFor(argv: readonly string[], output: string, { rangeSize, partitions }: Division): string[] {
  return [...argv, '-o', `${output}/`, '--range-size', rangeSize, '--partitions', String(partitions)];
}

export interface Division {
  readonly rangeSize: string;
  /** The number of processes that decide, if the plan allows several. */
  readonly partitions: number;
  readonly random: Random;
}

/** Runs the stages in any order, with rows carried as bytes. */
export async function inStages(
  argv: readonly string[],
  output: string,
  division: Division,
): Promise<Outcome> {
  const { random } = division;
  const plan = readPlan(await makePlan(sourcesOf(flagsFor(argv, output, division))));
  const counts: string[] = [];
  const numbers = shuffled([...plan.ranges.keys()], random);
  const extracted: RowFrame[] = [];
  for (const number of numbers)
    extracted.push(await carried(ROW_COLUMNS, (write) => extract(plan, number, { write })));
  const all = joinFrames(ROW_COLUMNS, extracted);
  takeCounts(all, counts);
  const decided: DecisionFrame[] = [];
  for (const [partition, rows] of partitionsOf(all, plan, random).entries())
    decided.push(
      await carried(DECISION_COLUMNS, (write) => decide(plan, framesOf(rows), { partition, write })),
    );
  const decisions = joinFrames(DECISION_COLUMNS, decided);
  takeCounts(decisions, counts);
  for (const number of shuffled([...plan.ranges.keys()], random)) {
    const { kind, range } = decisions.columns;
    const mine = where(decisions.rows, (row) => kind[row] === KIND.row && range[row] === number);
    const some = takeRows(DECISION_COLUMNS, decisions, Uint32Array.from(shuffled([...mine], random)));
    counts.push(JSON.stringify(await render(plan, number, framesOf(some), { output })));
  }
  const { report } = await finish(plan, shuffled(counts, random), { output, here: true });
  return { report, rows: rowsIn(output, report) };
}

/** Runs the stages with rows exchanged through a directory. */
export async function inExchange(
  argv: readonly string[],
  output: string,
  division: Division,
): Promise<Outcome> {
  const { random } = division;
  const plan = readPlan(await makePlan(sourcesOf(flagsFor(argv, output, division))));
  const exchange = new Exchange(`${output}-exchange`, plan);
  for (const range of shuffled([...plan.ranges.keys()], random)) {
    const frames: RowFrame[] = [];
    await extract(plan, range, { write: async (frame) => void frames.push(frame) });
    await exchange.putRows(range, frames);
  }
  for (let partition = 0; partition < plan.partitions; partition++) {
    const target = exchange.decisionsFrom(partition);
    await decide(plan, exchange.rowsOf(partition), { partition, write: target.write });
    await target.finish();
  }
  for (const range of shuffled([...plan.ranges.keys()], random))
    await exchange.putCounts(await render(plan, range, exchange.decisionsOn(range), { output }));
  const { report } = await finish(plan, exchange.counts(), { output, here: true });
  return { report, rows: rowsIn(output, report) };
}

/** The frames that a stage writes, encoded to and decoded from the bytes of a stream. */
async function carried<S extends Shape>(
  shape: S,
  run: (write: FrameWriter<S>['write']) => Promise<void>,
): Promise<Parameters<FrameWriter<S>['write']>[0]> {
  const bytes: Uint8Array[] = [];
  const writer = new FrameWriter(shape, async (some) => void bytes.push(some.slice()));
  await run((frame) => writer.write(frame));
  await writer.end();
  const whole = async function* () {
    yield Buffer.concat(bytes);
  };
  return joinFrames(shape, await Array.fromAsync(framesIn(shape, whole())));
}

/** The rows that each deciding process receives, as described in docs/stages.md. */
function partitionsOf(all: RowFrame, { partitions }: StagePlan, random: Random): RowFrame[] {
  const { kind, root, range, row } = all.columns;
  const rootOf = (at: number) => `${root[2 * at + 1]} ${root[2 * at]}`;
  const strays = new Set([...where(all.rows, (at) => kind[at] === KIND.stray)].map(rootOf));
  const salt = random.below(1_000);
  const partitionOf = (at: number) => (strays.has(rootOf(at)) ? 0 : (root[2 * at]! + salt) % partitions);
  const isTold = (at: number) => kind[at] === KIND.feedback || kind[at] === KIND.note;
  return Array.from({ length: partitions }, (_, partition) => {
    const told = shuffled([...where(all.rows, isTold)], random);
    const mine = where(all.rows, (at) => kind[at] === KIND.row && partitionOf(at) === partition);
    mine.sort((a, b) => range[a]! - range[b]! || row[a]! - row[b]!);
    const order = random.chance(0.5) ? [...told, ...mine] : [...mine, ...told];
    return takeRows(ROW_COLUMNS, all, Uint32Array.from(order));
  });
}

function takeCounts({ rows, columns }: RowFrame | DecisionFrame, counts: string[]): void {
  for (let at = 0; at < rows; at++)
    if (columns.kind[at] === KIND.counts) counts.push(textAt(columns.payload, at));
}

function where(rows: number, holds: (row: number) => boolean): Uint32Array {
  return new Uint32Array(rows).map((_, row) => row).filter(holds);
}

async function* framesOf<Frame>(frame: Frame): AsyncGenerator<Frame> {
  yield frame;
}

function shuffled<Thing>(things: Thing[], { below }: Random): Thing[] {
  for (let at = things.length - 1; at > 0; at--) {
    const other = below(at + 1);
    [things[at], things[other]] = [things[other]!, things[at]!];
  }
  return things;
}

function rowsIn(output: string, { splits, outputs }: Report): Record<string, string> {
  return Object.fromEntries(
    Object.keys(splits).map((split) => {
      const files = outputs.filter((file) => file.split === split);
      return [split, files.map(({ path }) => textIn(join(output, path))).join('')];
    }),
  );
}

function textIn(path: string): string {
  const bytes = readFileSync(path);
  if (path.endsWith('.gz')) return gunzipSync(bytes).toString();
  if (path.endsWith('.zst')) return zstdDecompressSync(bytes).toString();
  return bytes.toString();
}

/** A report without the parts that depend on how it was run. */
export function comparable({ argv: _argv, inputs, outputs: _outputs, ...report }: Report): object {
  return { ...report, inputs: inputs.map(({ name, bytes }) => ({ name, bytes })) };
}
