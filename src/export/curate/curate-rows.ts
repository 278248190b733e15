import type { BatchOrigin } from '../read/read.ts';
import type { Batch } from '../convert/batch.ts';
import type { Job, Outcome } from '../job.ts';
import type { Filter, Flaw } from '../errors.ts';
import type { SideBySide } from '../../logs/side-by-side.ts';
import { sideBySide } from '../../logs/side-by-side.ts';
import { arrange } from './arrange.ts';
import { Candidates } from './table/row-table.ts';
import type { Choice } from './row-set.ts';
import type { Chosen } from './curate.ts';
import { choose } from './curate.ts';
import type { PlacedFeedback } from './judgements.ts';
import { gather } from '../read/read.ts';
import { hashesFor } from './needs.ts';
import { FILTERS } from '../errors.ts';
import { Signatures } from './near/signatures.ts';
import { Spool } from './table/spool.ts';
import { sweepAfter, Sweeper } from './table/collect-garbage.ts';
import { writtenRows } from '../write/write-rows.ts';

/** Keeps all rows aside until the whole log is known, then writes those that were chosen. */
export async function chooseRows(job: Job): Promise<Outcome> {
  const { path } = job.options.sink;
  const spool = job.provisional ? Spool.over(job.provisional.fd, path) : new Spool(path);
  const log = sideBySide(job.inputs);
  const signatures = new Signatures(path, log?.workers);
  const names = hashesFor(job.options.choosing, { sideBySide: log !== undefined });
  const candidates = new Candidates(names, path, log?.workers);
  try {
    return await chooseFrom(job, log, { spool, signatures, candidates });
  } finally {
    spool.close();
    signatures.close();
    candidates.close();
  }
}

/** What waits in files without a name. */
interface Waiting {
  readonly spool: Spool;
  readonly signatures: Signatures;
  readonly candidates: Candidates;
}

async function chooseFrom(
  job: Job,
  log: SideBySide | undefined,
  { spool, signatures, candidates }: Waiting,
): Promise<Outcome> {
  const { options, converters } = job;
  const feedback: PlacedFeedback[] = [];
  const sweeper = new Sweeper();
  const take = async (batch: Batch, origin: BatchOrigin) => {
    const { file, firstLine } = origin;
    for (const said of batch.feedback) feedback.push({ ...said, file, line: firstLine + said.line });
    if (batch.ends.length > 0) {
      candidates.add(batch, { ...origin, spooledAt: spool.append(batch.text) });
      signatures.add(batch.signatures, batch.ends.length);
    }
    converters.release(batch);
    sweeper.at(candidates.length);
    job.progress(candidates.length);
    return true;
  };
  const seen = await gather(job, take);
  // Threads hold tens of megabytes each.
  await sweepAfter(candidates.length, candidates.drafts ? undefined : converters.close());
  candidates.hadBefore(seen.map(({ had }) => had));
  if (log) arrange(candidates, feedback, log);
  const signature = (row: number) => signatures.of(candidates.stored(row));
  const chosen = choose(candidates, feedback, options.choosing, signature);
  await sweepAfter(candidates.length);
  for (const choice of chosen.choices) countLeft(job, choice);
  if (stays(chosen, job, candidates)) keepAll(job, candidates, spool);
  else await writeChosen(job, chosen, { candidates, spool });
  const { unmatched, foreign } = chosen.choices[0]!.judgements;
  return { seen, feedback: { unmatched, foreign } };
}

/** Why things were left out, as the summary has it. */
function countLeft({ tally, inputs }: Job, choice: Choice): void {
  for (let one = 0; one < choice.length; one++) {
    const reason = choice.reason(one);
    if (reason === undefined) continue;
    if (reason in FILTERS) tally.filter(reason as Filter);
    else tally.drop(reason as Flaw, placeOf(choice.candidates, inputs, choice.rowOf(one)));
  }
}

function placeOf(candidates: Candidates, inputs: Job['inputs'], row: number): string {
  const { file, line } = candidates.place(row);
  return `${inputs[file]!.name}:${line}`;
}

/** Whether all rows are to be written as they wait, one behind the other. */
function stays({ sides, whole }: Chosen, { provisional }: Job, candidates: Candidates): boolean {
  return provisional !== undefined && whole && !candidates.drafts && !candidates.arranged && !sides;
}

function keepAll({ tally, stats, options, provisional }: Job, candidates: Candidates, spool: Spool): void {
  const side = options.sink.splits[0]!;
  for (let row = 0; row < candidates.length; row++) {
    stats.add(candidates.facet(row), side, candidates.flags(row));
    stats.spend(candidates.inputTokens(row), candidates.outputTokens(row));
  }
  tally.rows += candidates.length;
  provisional!.keep(candidates.length, spool.length);
}

async function writeChosen(
  job: Job,
  { sides, tasks }: Chosen,
  { candidates, spool }: Pick<Waiting, 'candidates' | 'spool'>,
): Promise<void> {
  const { options, hooks, inputs, converters, tally, stats } = job;
  if (job.provisional) {
    job.provisional.renew();
    spool.own();
  }
  const { splits } = options.sink;
  const rows = writtenRows(tasks(), {
    candidates,
    spool,
    converters,
    sides,
    signal: hooks.signal,
    onUnfit: (row, flaw) => tally.drop(flaw, placeOf(candidates, inputs, row)),
    onHidden: (hits) => tally.hide(hits),
  });
  for await (const { side, bytes, rows: written } of rows) {
    for (const row of written) {
      stats.add(candidates.facet(row), splits[side]!, candidates.flags(row));
      stats.spend(candidates.inputTokens(row), candidates.outputTokens(row));
    }
    await job.write(side, bytes, written.length);
  }
}
