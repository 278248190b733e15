import type { Batch } from '../convert/batch.ts';
import type { CurationOptions } from '../curate/options.ts';
import type { Job, ReadOutcome } from '../job.ts';
import { readInputs } from '../read/read.ts';

/**
 * Whether rows can be written immediately, because no later line of the log affects them.
 * @param log whether whole records are written, and whether several workers wrote the log, each its own files
 */
export function canStream(
  curation: CurationOptions,
  { raw, sideBySide }: { readonly raw: boolean; readonly sideBySide: boolean },
): boolean {
  const { sample, perGroup, last, maxRecords, splits } = curation;
  if (sample || perGroup !== undefined || last !== undefined || splits.length > 1) return false;
  // Rows from conversations are always in the order in which their records were written.
  if (sideBySide && (!raw || maxRecords !== undefined)) return false;
  return raw || decidedAlone(curation);
}

/** Whether each row of a conversation depends only on its own record. */
function decidedAlone({
  feedback,
  conversations,
  sampleKind,
  dedup,
  near,
  unlogged,
  loss,
}: CurationOptions): boolean {
  const paired = sampleKind === 'preference' || sampleKind === 'label';
  const compared = dedup !== 'none' || near !== undefined;
  const known = unlogged === 'pass' || unlogged === 'keep';
  // For formats that train all answers, the number of repeated ones is counted.
  return feedback === 'none' && conversations === 'turns' && !paired && !compared && known && loss !== 'all';
}

/** Writes rows immediately, if none depends on another. */
export async function streamRows(job: Job): Promise<ReadOutcome> {
  const { options, converters, stats } = job;
  const { maxRecords = Infinity } = options.curation;
  const split = options.sink.splits[0]!;
  let rows = 0;
  const take = async (batch: Batch) => {
    const wanted = Math.min(batch.ends.length, maxRecords - rows);
    for (let row = 0; row < wanted; row++) {
      stats.add(batch.groups[batch.groupOf[row]!]!, split, batch.flags[row]!);
      stats.spend(batch.inputTokens[row]!, batch.outputTokens[row]!);
    }
    rows += wanted;
    if (wanted > 0) await job.write(0, batch.text.subarray(0, batch.ends[wanted - 1]), wanted);
    converters.release(batch);
    job.progress(rows);
    return rows < maxRecords;
  };
  const seen = await readInputs(job, take);
  return { seen, ...(rows >= maxRecords ? { ended: 'max_records' } : {}) };
}
