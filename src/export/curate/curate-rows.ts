import type { BatchOrigin } from '../read/read.ts';
import type { Batch } from '../convert/batch.ts';
import type { Job, ReadOutcome } from '../job.ts';
import type { Filter, RejectReason } from '../errors.ts';
import type { SideBySide } from '../../logs/side-by-side.ts';
import { sideBySide } from '../../logs/side-by-side.ts';
import { arrange } from './arrange.ts';
import type { HashName } from './table/row-table.ts';
import { RowTable } from './table/row-table.ts';
import type { CurationOptions } from './options.ts';
import type { RowSet } from './row-set.ts';
import type { Chosen } from './curate.ts';
import { choose } from './curate.ts';
import type { PlacedFeedback } from './judgements.ts';
import { readInputs } from '../read/read.ts';
import { FILTERS } from '../errors.ts';
import { signaturesOf } from './near/row-signer.ts';
import { Signatures } from './near/signatures.ts';
import { Spool } from './table/spool.ts';
import { collectGarbageAfter, collectGarbageEvery, MANY_ROWS } from './table/collect-garbage.ts';
import { writtenRows } from '../write/write-rows.ts';

/** Stores all rows until the whole log is known, then writes the selected ones. */
export async function curateRows(job: Job): Promise<ReadOutcome> {
  const { path } = job.options.sink;
  const spool = job.provisional ? Spool.over(job.provisional.fd, path) : new Spool(path);
  const log = sideBySide(job.inputs);
  const signatures = new Signatures(path, log?.workers);
  const names = hashesFor(job.options.curation, { sideBySide: log !== undefined });
  const table = new RowTable(names, path, log?.workers);
  try {
    return await chooseFrom(job, log, { spool, signatures, table });
  } finally {
    spool.close();
    signatures.close();
    table.close();
  }
}

/** The parts that keep their data in unnamed temporary files. */
interface Waiting {
  readonly spool: Spool;
  readonly signatures: Signatures;
  readonly table: RowTable;
}

async function chooseFrom(
  job: Job,
  log: SideBySide | undefined,
  { spool, signatures, table }: Waiting,
): Promise<ReadOutcome> {
  const { options, converters } = job;
  const feedback: PlacedFeedback[] = [];
  const collectGarbage = collectGarbageEvery(MANY_ROWS);
  const take = async (batch: Batch, origin: BatchOrigin) => {
    const { file, firstLine } = origin;
    for (const given of batch.feedback) feedback.push({ ...given, file, line: firstLine + given.line });
    if (batch.ends.length > 0) {
      table.add(batch, { ...origin, spooledAt: spool.append(batch.text) });
      signatures.add(batch.signatures, batch.ends.length);
    }
    converters.release(batch);
    collectGarbage(table.length);
    job.progress(table.length);
    return true;
  };
  const seen = await readInputs(job, take);
  // Each thread takes tens of megabytes.
  await collectGarbageAfter(table.length, table.unrendered ? undefined : converters.close());
  if (log) arrange(table, feedback, log);
  const signed = signaturesOf(options.plan.compare, (row) => signatures.of(table.stored(row)));
  const chosen = choose(table, feedback, options.curation, signed);
  await collectGarbageAfter(table.length);
  for (const set of chosen.sets) countLeft(job, set);
  if (stays(chosen, job, table)) keepAll(job, table, spool);
  else await writeChosen(job, chosen, { table, spool });
  const { unmatched, foreign } = chosen.sets[0]!.judgements;
  const { repeatedAnswers, quotedRows } = chosen;
  return { seen, feedback: { unmatched, foreign }, repeatedAnswers, quotedRows };
}

/** The reasons for omissions, as the summary lists them. */
function countLeft({ counters, inputs }: Job, set: RowSet): void {
  for (let one = 0; one < set.length; one++) {
    const reason = set.reason(one);
    if (reason === undefined) continue;
    if (reason in FILTERS) counters.filter(reason as Filter);
    else counters.drop(reason as RejectReason, placeOf(set.table, inputs, set.rowOf(one)));
  }
}

function placeOf(table: RowTable, inputs: Job['inputs'], row: number): string {
  const { file, line } = table.place(row);
  return `${inputs[file]!.name}:${line}`;
}

/** Whether all rows are written unchanged, one after another. */
function stays({ splits, whole }: Chosen, { provisional }: Job, table: RowTable): boolean {
  return provisional !== undefined && whole && !table.unrendered && !table.arranged && !splits;
}

function keepAll({ counters, stats, options, provisional }: Job, table: RowTable, spool: Spool): void {
  const split = options.sink.splits[0]!;
  for (let row = 0; row < table.length; row++) {
    stats.add(table.group(row), split, table.flags(row));
    stats.spend(table.inputTokens(row), table.outputTokens(row));
  }
  counters.rows += table.length;
  provisional!.keep(table.length, spool.length);
}

async function writeChosen(
  job: Job,
  { splits: splitsOf, tasks }: Chosen,
  { table, spool }: Pick<Waiting, 'table' | 'spool'>,
): Promise<void> {
  const { options, hooks, inputs, converters, counters, stats } = job;
  if (job.provisional) {
    job.provisional.renew();
    spool.own();
  }
  const { splits } = options.sink;
  const rows = writtenRows(tasks(), {
    table,
    texts: spool,
    converters,
    splitOf: splitsOf && ((row) => splitsOf[row]!),
    signal: hooks.signal,
    onReject: (row, reject) => counters.drop(reject, placeOf(table, inputs, row)),
    onRedacted: (hits) => counters.addRedacted(hits),
  });
  for await (const { split, bytes, rows: written } of rows) {
    for (const row of written) {
      stats.add(table.group(row), splits[split]!, table.flags(row));
      stats.spend(table.inputTokens(row), table.outputTokens(row));
    }
    await job.write(split, bytes, written.length);
  }
}

/** The hashes that decisions will need. */
export function hashesFor(
  { sampleKind, dedup, splits, splitBy, corrections }: CurationOptions,
  { sideBySide }: { readonly sideBySide: boolean },
): HashName[] {
  const names = new Set<HashName>(['conversation', 'content', 'id']);
  if (sideBySide) names.add('written');
  if (splits.length > 1) names.add(splitBy === 'prompt' ? 'prompt' : 'firstPrompt').add('session');
  if (sampleKind === 'preference' || sampleKind === 'label') names.add('prompt').add('owner');
  if (dedup === 'prompt' || corrections) names.add('prompt');
  return [...names];
}
