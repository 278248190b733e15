/** Decide: selects the rows of a partition that are written, with the same code as an export in one process. */
import type { Filter, RejectReason } from '../errors.ts';
import type { Chosen } from '../curate/curate.ts';
import type { Task } from '../curate/task.ts';
import type { Frame } from './arrow/shape.ts';
import type { RowPlace } from './partition-rows.ts';
import type { RowFrame } from './row-frames.ts';
import type { StagePlan } from './stage-plan.ts';
import { sideBySide } from '../../logs/side-by-side.ts';
import { choose } from '../curate/curate.ts';
import { hashesFor } from '../curate/curate-rows.ts';
import { signaturesOf } from '../curate/near/row-signer.ts';
import { collectGarbageEvery, MANY_ROWS } from '../curate/table/collect-garbage.ts';
import { FILTERS } from '../errors.ts';
import { noStrings, StringColumn } from './arrow/build.ts';
import type { DECISION_COLUMNS } from './columns.ts';
import { KIND } from './columns.ts';
import { PartitionRows } from './partition-rows.ts';
import { inputsOf, settingsOf } from './stage-plan.ts';

export type DecisionFrame = Frame<typeof DECISION_COLUMNS>;

/** The counts of one partition, which finish adds up. */
export interface DecideCounts {
  readonly stage: 'decide';
  readonly partition: number;
  /** The number of rows decided on. */
  readonly rows: number;
  readonly decisions: number;
  readonly filtered: Readonly<Partial<Record<Filter, number>>>;
  readonly dropped: Readonly<Partial<Record<RejectReason, OrderedPlaces>>>;
  /** Feedback on rows of the partition, and the part of it from the original caller, by range and index. */
  readonly matched: readonly FeedbackName[];
  readonly own: readonly FeedbackName[];
  readonly repeatedAnswers: number;
  readonly quotedRows: number;
}

type FeedbackName = readonly [range: number, row: number];

/** Their number, and the first places. */
export interface OrderedPlaces {
  count: number;
  readonly places: OrderedPlace[];
}

/** A line, and its sort key in the order of the log. */
export interface OrderedPlace {
  readonly order: readonly number[];
  readonly range: number;
  readonly file: number;
  readonly line: number;
}

const PLACES = 3;
/** How many decisions are written at once. */
const FRAME_ROWS = 16_384;

/** @throws ExportError when rows are out of order; the signal's reason when it aborts */
export async function decide(
  plan: StagePlan,
  frames: AsyncIterable<RowFrame>,
  {
    partition,
    write,
    signal,
  }: {
    readonly partition: number;
    readonly write: (frame: DecisionFrame) => Promise<void>;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { curation, plan: conversion } = settingsOf(plan);
  const log = sideBySide(inputsOf(plan));
  const rows = new PartitionRows(hashesFor(curation, { sideBySide: log !== undefined }), log);
  try {
    for await (const frame of frames) {
      signal?.throwIfAborted();
      rows.add(frame);
    }
    rows.arrange();
    const { table, signatures } = rows;
    const signed = signaturesOf(conversion.compare, (row) => signatures.of(table.stored(row)));
    const chosen = choose(table, rows.feedback, curation, signed);
    const decisions = await writeDecisions(chosen, rows, write, signal);
    await write(countsFrame(countsOf(chosen, rows, { partition, decisions, log: log !== undefined })));
  } finally {
    rows.close();
  }
}

async function writeDecisions(
  { splits, tasks }: Chosen,
  rows: PartitionRows,
  write: (frame: DecisionFrame) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const collectGarbage = collectGarbageEvery(MANY_ROWS);
  let decisions = 0;
  let some: Decision[] = [];
  for (const task of tasks()) {
    const rejected = task.rejected === undefined ? undefined : rows.place(task.rejected);
    some.push({
      task,
      place: rows.place(task.row),
      rejected,
      split: splits?.[task.row] ?? 0,
      seq: decisions++,
    });
    if (some.length < FRAME_ROWS) continue;
    signal?.throwIfAborted();
    await write(decisionFrame(some));
    some = [];
    collectGarbage(decisions);
  }
  await write(decisionFrame(some));
  return decisions;
}

interface Decision {
  readonly task: Task;
  readonly place: RowPlace;
  readonly rejected: RowPlace | undefined;
  readonly split: number;
  readonly seq: number;
}

/** The instructions for rendering a task, besides its rows. */
export type TaskDetails = Omit<Task, 'row' | 'rejected'>;

function decisionFrame(decisions: readonly Decision[]): DecisionFrame {
  const rows = decisions.length;
  const columns = emptyDecisions(rows);
  const task = new StringColumn();
  for (const [at, { task: decided, place, rejected, split, seq }] of decisions.entries()) {
    const { row: _row, rejected: _rejected, ...details } = decided;
    columns.range[at] = place.range;
    columns.row[at] = place.row;
    columns.seq[at] = seq;
    columns.file[at] = place.file;
    setNumber(columns.offset, at, place.offset);
    columns.line[at] = place.line;
    columns.nth[at] = place.nth;
    columns.split[at] = split;
    columns.rejected_file[at] = rejected?.file ?? -1;
    setNumber(columns.rejected_offset, at, rejected?.offset ?? 0);
    columns.rejected_nth[at] = rejected?.nth ?? 0;
    task.push(Object.keys(details).length === 0 ? '' : JSON.stringify(details));
  }
  return { rows, columns: { ...columns, task: task.values } };
}

function countsFrame(counts: DecideCounts): DecisionFrame {
  const payload = new StringColumn();
  payload.push(JSON.stringify(counts));
  const columns = emptyDecisions(1);
  columns.kind[0] = KIND.counts;
  columns.row[0] = counts.partition;
  return { rows: 1, columns: { ...columns, payload: payload.values } };
}

function emptyDecisions(rows: number): DecisionFrame['columns'] {
  return {
    kind: new Int8Array(rows),
    range: new Int32Array(rows),
    row: new Int32Array(rows),
    seq: new Int32Array(rows),
    file: new Int32Array(rows),
    offset: new Uint32Array(2 * rows),
    line: new Int32Array(rows),
    nth: new Int32Array(rows),
    split: new Int32Array(rows),
    task: noStrings(rows),
    rejected_file: new Int32Array(rows).fill(-1),
    rejected_offset: new Uint32Array(2 * rows),
    rejected_nth: new Int32Array(rows),
    payload: noStrings(rows),
  };
}

function setNumber(column: Uint32Array, row: number, value: number): void {
  column[2 * row] = value >>> 0;
  column[2 * row + 1] = Math.floor(value / 2 ** 32);
}

function countsOf(
  { sets, repeatedAnswers, quotedRows }: Chosen,
  rows: PartitionRows,
  {
    partition,
    decisions,
    log,
  }: { readonly partition: number; readonly decisions: number; readonly log: boolean },
): DecideCounts {
  const filtered: Partial<Record<Filter, number>> = {};
  const dropped: Partial<Record<RejectReason, OrderedPlaces>> = {};
  for (const set of sets)
    for (let one = 0; one < set.length; one++) {
      const reason = set.reason(one);
      if (reason === undefined) continue;
      if (reason in FILTERS) filtered[reason as Filter] = (filtered[reason as Filter] ?? 0) + 1;
      else drop(dropped, reason as RejectReason, () => placeOf(rows, set.rowOf(one), log));
    }
  const { judgements } = sets[0]!;
  const nameOf = (number: number): FeedbackName => {
    const { range, row } = rows.feedback[number]!;
    return [range, row];
  };
  return {
    stage: 'decide',
    partition,
    rows: rows.table.length,
    decisions,
    filtered,
    dropped,
    matched: [...judgements.matched].map(nameOf),
    own: [...judgements.own].map(nameOf),
    repeatedAnswers,
    quotedRows,
  };
}

function drop(
  dropped: Partial<Record<RejectReason, OrderedPlaces>>,
  reason: RejectReason,
  place: () => OrderedPlace,
): void {
  const found = (dropped[reason] ??= { count: 0, places: [] });
  found.count += 1;
  if (found.places.length < PLACES) found.places.push(place());
}

function placeOf(rows: PartitionRows, number: number, log: boolean): OrderedPlace {
  const { range, row, file, line } = rows.place(number);
  const time = log ? rows.timeOf(number) : [];
  return { order: [...time, range, row], range, file, line };
}
