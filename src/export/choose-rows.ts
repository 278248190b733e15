import type { BatchOrigin } from './gather.ts';
import type { Batch } from './convert/batch.ts';
import type { Feedback } from './feedback.ts';
import type { Job, Outcome } from './job.ts';
import type { Filter, Flaw } from './reasons.ts';
import { Candidates } from './choose/candidates.ts';
import type { Chosen } from './choose/choose.ts';
import { choose } from './choose/choose.ts';
import { Judgements } from './choose/judgements.ts';
import { gather } from './gather.ts';
import { hashesFor } from './needs.ts';
import { FILTERS } from './reasons.ts';
import { Signatures } from './signatures.ts';
import { Spool } from './spool.ts';
import { sweepAfter, Sweeper } from './sweep.ts';
import { writtenRows } from './write.ts';

/** Keeps all rows aside until the whole log is known, then writes those that were chosen. */
export async function chooseRows(job: Job): Promise<Outcome> {
  const { path } = job.options.sink;
  const spool = job.provisional ? Spool.over(job.provisional.fd, path) : new Spool(path);
  const signatures = new Signatures(path);
  try {
    return await chooseFrom(job, spool, signatures);
  } finally {
    spool.close();
    signatures.close();
  }
}

async function chooseFrom(job: Job, spool: Spool, signatures: Signatures): Promise<Outcome> {
  const { options, converters } = job;
  const candidates = new Candidates(hashesFor(options.choosing));
  const feedback: Feedback[] = [];
  const sweeper = new Sweeper();
  const take = async (batch: Batch, origin: BatchOrigin) => {
    feedback.push(...batch.feedback);
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
  candidates.forget(seen.flatMap(({ changed }, file) => (changed ? [file] : [])));
  const judgements = new Judgements(candidates, feedback);
  const chosen = choose(candidates, judgements, options.choosing, (row) => signatures.of(row));
  await sweepAfter(candidates.length);
  countLeft(job, chosen, candidates);
  if (stays(chosen, job, candidates)) keepAll(job, candidates, spool);
  else await writeChosen(job, chosen, { candidates, spool });
  const { unmatched, foreign } = judgements;
  return { seen, feedback: { unmatched, foreign } };
}

/** Why candidates were left out, as the summary has it. */
function countLeft({ tally, inputs }: Job, { choice }: Chosen, candidates: Candidates): void {
  for (let row = 0; row < candidates.length; row++) {
    const reason = choice.reason(row);
    if (reason === undefined) continue;
    if (reason in FILTERS) tally.filter(reason as Filter);
    else tally.drop(reason as Flaw, placeOf(candidates, inputs, row));
  }
}

function placeOf(candidates: Candidates, inputs: Job['inputs'], row: number): string {
  const { file, line } = candidates.place(row);
  return `${inputs[file]!.name}:${line}`;
}

/** Whether all rows are to be written as they wait, one behind the other. */
function stays({ choice, sides, plain }: Chosen, { provisional }: Job, candidates: Candidates): boolean {
  return (
    provisional !== undefined && plain && !candidates.drafts && !sides && choice.count() === candidates.length
  );
}

function keepAll({ tally, stats, options, provisional }: Job, candidates: Candidates, spool: Spool): void {
  const side = options.sink.splits[0]!;
  for (let row = 0; row < candidates.length; row++) {
    stats.add(candidates.facet(row), side);
    stats.spend(candidates.inputTokens(row), candidates.outputTokens(row));
  }
  tally.rows += candidates.length;
  provisional!.keep(candidates.length, spool.length);
}

interface Source {
  readonly candidates: Candidates;
  readonly spool: Spool;
}

async function writeChosen(job: Job, { sides, tasks }: Chosen, { candidates, spool }: Source): Promise<void> {
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
      stats.add(candidates.facet(row), splits[side]!);
      stats.spend(candidates.inputTokens(row), candidates.outputTokens(row));
    }
    await job.write(side, bytes, written.length);
  }
}
