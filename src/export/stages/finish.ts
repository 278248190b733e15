/** Finish: adds up the counts of all stages, and writes the files that complete the dataset, the manifest last. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { ExportSummary } from '../run.ts';
import type { RejectReason } from '../errors.ts';
import type { OutputFile } from '../write/sink.ts';
import type { DecideCounts, OrderedPlace } from './decide.ts';
import type { ExtractCounts } from './extract.ts';
import type { RenderCounts } from './render.ts';
import type { StagePlan } from './stage-plan.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { ExportError } from '../errors.ts';
import { Counters } from '../report/counters.ts';
import { reportOf } from '../report/report.ts';
import { RowStats } from '../report/row-stats.ts';
import { emptySplitOf } from '../run.ts';
import { writeFailure } from '../write/byte-sink.ts';
import { sidecarsOf } from '../write/sidecars.ts';
import { openStagingFile } from '../write/staging-file.ts';
import { LinePlaces } from './line-places.ts';
import { settingsOf } from './stage-plan.ts';

export type StageCounts = ExtractCounts | DecideCounts | RenderCounts;

/**
 * @param texts the counts of all stages, in any order
 * @param output the directory of the dataset
 * @param here whether the shards are in it, and can be checked
 * @throws ExportError when counts or shards are missing
 */
export async function finish(
  plan: StagePlan,
  texts: Iterable<string>,
  { output, here }: { readonly output: string; readonly here: boolean },
): Promise<ExportSummary> {
  const settings = settingsOf(plan);
  const { extracts, decides, renders } = complete(plan, texts);
  const lines = new LinePlaces(plan, extracts);
  const counters = new Counters();
  const stats = new RowStats();
  counters.files = plan.inputs.length;
  for (const { range, counts } of extracts) counters.addPlain(counts, (place) => lines.ofPart(range, place));
  for (const { filtered } of decides)
    for (const [reason, count] of Object.entries(filtered))
      counters.filter(reason as keyof typeof filtered, count);
  addDropped(counters, decides, lines);
  for (const rendered of renders) {
    counters.addPlain(rendered.counts, (place) => lines.ofOffset(place));
    stats.addPlain(rendered.stats);
  }
  counters.rows = stats.rows;
  const outputs = renders.flatMap((rendered) => rendered.outputs).toSorted(byName);
  if (here) refuseMissing(output, outputs);
  const report = reportOf(
    {
      counters,
      stats,
      outcome: {
        seen: lines.seen,
        feedback: feedbackOf(counters, decides),
        repeatedAnswers: decides.reduce((sum, { repeatedAnswers }) => sum + repeatedAnswers, 0),
        quotedRows: decides.reduce((sum, { quotedRows }) => sum + quotedRows, 0),
      },
    },
    settings,
    outputs,
  );
  const summary: ExportSummary = {
    report,
    files: counters.files,
    sameFiles: plan.inputs.filter(({ otherNames }) => otherNames),
    bytesRead: plan.inputs.reduce((sum, { bytes }) => sum + bytes, 0),
    ...emptySplitOf(report, settings.curation),
  };
  if (settings.failEmpty && report.kept === 0) return summary;
  await writeSidecars(output, sidecarsOf(report, settings));
  return summary;
}

interface Complete {
  /** In the order of their ranges. */
  readonly extracts: readonly ExtractCounts[];
  readonly renders: readonly RenderCounts[];
  readonly decides: readonly DecideCounts[];
}

/** @throws ExportError when the counts are not those of one complete run */
function complete({ ranges }: StagePlan, texts: Iterable<string>): Complete {
  const all = [...new Set(texts)].map((text) => countsIn(text));
  const of = <Stage extends StageCounts['stage']>(stage: Stage) =>
    all.filter((counts) => counts.stage === stage) as Extract<StageCounts, { stage: Stage }>[];
  const inOrder = <Counts extends { readonly range: number; readonly stage: string }>(some: Counts[]) => {
    const sorted = some.toSorted((a, b) => a.range - b.range);
    for (let range = 0; range < ranges.length; range++) {
      const stage = some[0]?.stage;
      if (sorted[range]?.range === range) continue;
      const twice = range > 0 && sorted[range]?.range === range - 1;
      throw new ExportError(
        'failed',
        twice
          ? `Cannot finish: two runs of ${stage} for range ${range - 1} reported different counts`
          : `Cannot finish: the counts of range ${range} are missing${stage === undefined ? '' : ` from ${stage}`}; run that stage again`,
      );
    }
    return sorted.slice(0, ranges.length);
  };
  const [extracts, decides, renders] = [inOrder(of('extract')), of('decide'), inOrder(of('render'))];
  refuseLost(extracts, decides, renders);
  return { extracts, decides, renders };
}

function countsIn(text: string): StageCounts {
  const counts = parseJson(text);
  if (isObject(counts) && ['extract', 'decide', 'render'].includes(String(counts.stage)))
    return counts as unknown as StageCounts;
  throw new ExportError('failed', 'Cannot finish: a line of the counts was not written by a stage');
}

function refuseLost(
  extracts: readonly ExtractCounts[],
  decides: readonly DecideCounts[],
  renders: readonly RenderCounts[],
): void {
  const extracted = extracts.reduce((sum, { rows }) => sum + rows, 0);
  const decided = decides.reduce((sum, { rows }) => sum + rows, 0);
  if (extracted !== decided)
    throw new ExportError(
      'failed',
      `Cannot finish: extract found ${extracted} rows, and decide saw ${decided} of them; the counts of a partition are missing or doubled`,
    );
  const decisions = decides.reduce((sum, counts) => sum + counts.decisions, 0);
  const rendered = renders.reduce((sum, counts) => sum + counts.decisions, 0);
  if (decisions !== rendered)
    throw new ExportError(
      'failed',
      `Cannot finish: decide chose ${decisions} rows, but render received ${rendered}`,
    );
}

/** Each reason with its first places in the whole log. */
function addDropped(counters: Counters, decides: readonly DecideCounts[], lines: LinePlaces): void {
  const all = new Map<RejectReason, { count: number; places: OrderedPlace[] }>();
  for (const { dropped } of decides)
    for (const [reason, { count, places }] of Object.entries(dropped)) {
      const found = all.getOrInsertComputed(reason as RejectReason, () => ({ count: 0, places: [] }));
      found.count += count;
      found.places.push(...places);
    }
  for (const [reason, { count, places }] of all) {
    const names = places.toSorted(byOrder).map((place) => lines.of(place));
    counters.addPlain(
      {
        lines: 0,
        furtherAnswers: 0,
        feedback: 0,
        filtered: {},
        dropped: { [reason]: { count, places: names } },
        bad: {},
        redacted: {},
      },
      (place) => place,
    );
  }
}

function byOrder({ order: a }: OrderedPlace, { order: b }: OrderedPlace): number {
  for (const [at, number] of a.entries()) if (number !== b[at]) return number - b[at]!;
  return 0;
}

function feedbackOf({ feedback }: Counters, decides: readonly DecideCounts[]) {
  const names = (which: 'matched' | 'own') =>
    new Set(decides.flatMap((counts) => counts[which].map(([range, row]) => `${range} ${row}`)));
  const [matched, own] = [names('matched'), names('own')];
  return { unmatched: feedback - matched.size, foreign: matched.size - own.size };
}

function byName({ path: a }: OutputFile, { path: b }: OutputFile): number {
  return a < b ? -1 : Number(a > b);
}

function refuseMissing(output: string, outputs: readonly OutputFile[]): void {
  for (const { path, bytes } of outputs) {
    const found = fs.statSync(join(output, path), { throwIfNoEntry: false });
    if (found?.size !== bytes)
      throw new ExportError(
        'failed',
        `Cannot finish: ${join(output, path)} ${found ? `has ${found.size} bytes and not ${bytes}` : 'is missing'}; run render for its range again`,
      );
  }
}

/** The manifest comes last: if it exists, the dataset is complete. */
async function writeSidecars(output: string, sidecars: ReturnType<typeof sidecarsOf>): Promise<void> {
  const named = sidecars.filter((sidecar) => 'name' in sidecar);
  const isManifest = ({ name }: { readonly name: string }) => Number(name === 'manifest.json');
  for (const { name, text } of named.toSorted((a, b) => isManifest(a) - isManifest(b))) {
    const path = join(output, name);
    try {
      const file = openStagingFile(path, true);
      fs.writeFileSync(file.fd, text);
      await file.keep();
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }
}
