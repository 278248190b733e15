/** The newest requests in the log that match a filter. */
import type { LogInput } from '../../../logs/input.ts';
import type { RecordWithoutTail } from '../../../logs/head-record.ts';
import type { RequestRow, RequestsAnswer } from '../../../web/api.ts';
import type { Filter } from '../../../web/filter/parse.ts';
import { momentFrom, momentUntil } from '../../../config/moment.ts';
import { endOf, newestRecords } from '../../../logs/newest/newest.ts';
import { parseFilter } from '../../../web/filter/parse.ts';
import { numberOf, objectOf, stringOf } from '../../../wire/json.ts';
import type { RequestsJob } from './jobs.ts';
import { isWanted, overBlocks } from './filtered.ts';
import { timeLimit } from './time-limit.ts';

/** The time limit, milliseconds. What was found by then is shown. */
const PATIENCE_MS = 4_000;

const MAX_PROBLEMS = 5;

export async function requests(inputs: readonly LogInput[], job: RequestsJob): Promise<RequestsAnswer> {
  const filter = parseFilter(job.filter);
  const { sinceMs, untilMs } = spanOf(filter, Date.now());
  const found: RecordWithoutTail[] = [];
  const problems: string[] = [];
  const limit = timeLimit(PATIENCE_MS);
  const wanted = isWanted(filter);
  let complete = true;
  try {
    const records = await newestRecords(inputs, {
      most: job.most,
      sinceMs,
      untilMs: job.before === null ? untilMs : Math.min(job.before, untilMs ?? Infinity),
      signal: limit.signal,
      onProblem: (message) => void (problems.length < MAX_PROBLEMS && problems.push(message)),
      test: {
        over: overBlocks(filter),
        wants(head) {
          const wants = wanted(head);
          if (wants) found.push(head);
          return wants;
        },
      },
    });
    complete = records.length < job.most;
    found.splice(0, found.length, ...records.map(({ head }) => head));
  } catch (error) {
    if (!limit.isOver(error)) throw error;
    complete = false;
    problems.push('The search took too long: narrow the filter, for example by since:24h');
  }
  const heads = found.toSorted((a, b) => endOf(b) - endOf(a)).slice(0, job.most);
  const oldest = heads.at(-1);
  return { rows: heads.map(rowIn), complete, before: oldest ? endOf(oldest) : job.before, problems };
}

/** The period in a filter; invalid times are ignored. */
export function spanOf({ since, until }: Filter, nowMs: number): { sinceMs?: number; untilMs?: number } {
  const when = { nowMs, timeZone: 'UTC' };
  const sinceMs = since === undefined ? NaN : momentFrom(since, when);
  const untilMs = until === undefined ? NaN : momentUntil(until, when);
  return { ...(Number.isNaN(sinceMs) ? {} : { sinceMs }), ...(Number.isNaN(untilMs) ? {} : { untilMs }) };
}

/** The fields of a record that lists show; in a file any of them may be invalid. */
export function rowIn(head: Readonly<Record<string, unknown>>): RequestRow {
  const text = (field: string) => stringOf(head[field]) ?? null;
  const number = (field: string) => numberOf(head[field]) ?? null;
  return {
    ts: text('ts') ?? '',
    id: text('id') ?? '',
    outcome: text('outcome') ?? '',
    status: number('status') ?? 0,
    endpoint: text('endpoint') ?? '',
    stream: head.stream === true,
    model: text('model') ?? '',
    provider: text('provider'),
    upstream_model: text('upstream_model'),
    finish: text('finish'),
    fault: text('fault'),
    attempts: number('attempts') ?? 0,
    input_tokens: number('input_tokens'),
    output_tokens: number('output_tokens'),
    cost: number('cost'),
    latency_ms: number('latency_ms') ?? 0,
    first_content_ms: number('first_content_ms'),
    key: text('key'),
    conversation: text('conversation'),
    user: text('user'),
    group: stringOf(head.group),
    tags: texts(head.tags),
    labels: texts(head.labels),
  };
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(objectOf(value));
  return Object.fromEntries(entries.filter((each): each is [string, string] => typeof each[1] === 'string'));
}
