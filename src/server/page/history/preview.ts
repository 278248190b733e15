/**
 * What an export would make of the newest records that match a filter: the export itself runs on a log that contains
 * only these records, in a temporary directory.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogInput } from '../../../logs/input.ts';
import type { PreviewAnswer } from '../../../web/api.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { PreviewJob } from './jobs.ts';
import { ExportError } from '../../../export/errors.ts';
import { parseFlags } from '../../../export/options/flags.ts';
import { resolveSettings } from '../../../export/options/settings.ts';
import { runExport } from '../../../export/run.ts';
import { newestRecords } from '../../../logs/newest/newest.ts';
import { exportArguments } from '../../../web/filter/command.ts';
import { parseFilter } from '../../../web/filter/parse.ts';
import { isObject } from '../../../wire/json.ts';
import { isWanted } from './filtered.ts';
import { spanOf } from './requests.ts';
import { timeLimit } from './time-limit.ts';

/** The number of records examined. */
const MOST_RECORDS = 100;
/** The number of feedback records examined: they follow what they refer to. */
const MOST_FEEDBACK = 1_000;
/** The total size of the records, characters. */
const MOST_CHARACTERS = 16_000_000;
/** The number of rows shown, and the limit for each, characters. */
const MOST_ROWS = 20;
const MOST_SHOWN = 20_000;
/** The time limit, milliseconds. */
const PATIENCE_MS = 4_000;

export async function preview(inputs: readonly LogInput[], job: PreviewJob): Promise<PreviewAnswer> {
  const { records, late } = await newest(inputs, job);
  const folder = mkdtempSync(join(tmpdir(), 'llmproxy-preview-'));
  try {
    const log = join(folder, 'records.ndjson');
    const output = join(folder, 'rows.jsonl');
    writeFileSync(log, records.map((record) => `${JSON.stringify(record)}\n`).join(''), { mode: 0o600 });
    const args = [...exportArguments(parseFilter(job.filter), job), '--output', output];
    const flags = { ...parseFlags(args), inputs: [log] };
    const settings = resolveSettings({
      flags,
      env: { values: {}, inputs: [] },
      terminal: false,
      nowMs: Date.now(),
      argv: args,
    });
    const { report } = await runExport({ ...settings, threads: 0 });
    const rows = readFileSync(output, 'utf8').split('\n').filter(Boolean);
    const requests = records.filter(({ endpoint }) => endpoint !== 'feedback').length;
    return {
      records: requests,
      rows: rows
        .slice(0, MOST_ROWS)
        .map((row) => (row.length > MOST_SHOWN ? `${row.slice(0, MOST_SHOWN)} …` : row)),
      dropped: { ...counts(report.filtered), ...counts(report.dropped), ...counts(report.bad) },
      problem: late ? 'The search took too long: this is what was found by then' : null,
    };
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    return { records: records.length, rows: [], dropped: {}, problem: error.message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The newest records and the feedback on them, oldest first. */
async function newest(
  inputs: readonly LogInput[],
  job: PreviewJob,
): Promise<{ records: JsonObject[]; late: boolean }> {
  const filter = parseFilter(job.filter);
  const records: JsonObject[] = [];
  const feedback: JsonObject[] = [];
  const limit = timeLimit(PATIENCE_MS);
  const wanted = isWanted(filter);
  let characters = 0;
  let late = false;
  try {
    await newestRecords(inputs, {
      most: MOST_RECORDS,
      ...spanOf(filter, Date.now()),
      signal: limit.signal,
      test: {
        wants(head, whole) {
          if (isObject(head.feedback)) {
            const record = feedback.length < MOST_FEEDBACK ? whole() : undefined;
            if (record) feedback.push(record);
            return false;
          }
          if (!wanted(head) || characters > MOST_CHARACTERS) return false;
          const record = whole();
          if (!record) return false;
          characters += JSON.stringify(record).length;
          records.push(record);
          return true;
        },
      },
    });
  } catch (error) {
    if (!limit.isOver(error)) throw error;
    late = true;
  }
  const ids = new Set(records.map(({ id }) => id));
  const judged = feedback.filter((each) => isObject(each.feedback) && ids.has(each.feedback.request_id));
  return { records: [...judged, ...records].toReversed(), late };
}

/** The number of records for each reason. */
function counts(reasons: Readonly<Record<string, unknown>>): Record<string, number> {
  const entries = Object.entries(reasons).map(([reason, value]): [string, number] => {
    const count = typeof value === 'number' ? value : isObject(value) ? Number(value.count) : 0;
    return [reason.replaceAll('_', ' '), count];
  });
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}
