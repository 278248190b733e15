import type { LogRecord } from '../../src/logs/record.ts';
import type { SimRequest } from './book.ts';
import type { Seen } from './clients.ts';
import type { Scene } from './scene.ts';
import { readAnswer } from './answers.ts';
import { wirePath } from './classes.ts';
import { wordsFor } from './replies.ts';
import { aboutOf } from './scene.ts';

/** How far a deadline may be missed, in milliseconds. */
const SLACK_MS = 1_000;

/** The maximum duration of a stream: `timeout.total`. */
const TOTAL_MS = 3_600_000;

export interface Ended {
  readonly request: SimRequest;
  readonly seen: Seen;
  readonly records: readonly LogRecord[];
}

/** Rules 6 and 7 for a finished request. @param deadlineMs `routing.deadline` */
export function judgeEnd(ended: Ended, scene: Scene, deadlineMs: number): void {
  const { request, records } = ended;
  const say = (rule: 6 | 7, what: string, sort: string) =>
    scene.violations.add(rule, scene.clock.monotonic(), `${request.id} ${what}`, {
      cause: `${sort} ${causeOf(request)}`,
      about: aboutOf(request),
    });
  const [record] = records;
  if (!record || records.length > 1) return say(6, `has ${records.length} records`, 'records');
  if (record.fault === 'internal') say(7, `fails with internal_error: ${record.error}`, 'internal');
  for (const [sort, what] of complaints(ended, record, deadlineMs)) say(6, what, sort);
}

function* complaints(
  { request, seen }: Ended,
  record: LogRecord,
  deadlineMs: number,
): Generator<[sort: string, what: string]> {
  const { calls, left, asked, arrivedMs } = request;
  const local = request.route.targets.some((each) => isLocal(request, each));
  const open = calls.filter(({ result }) => result === undefined);
  if (open.length > 0) yield ['open', `is over, and ${open.length} of its calls are not`];
  if (record.outcome === 'success' && !local && calls.at(-1)?.result !== 'fine') {
    yield ['success', `is a success in its record, but its last call is ${stateOf(request)}`];
  }
  if (left) return;
  if (seen.broken !== undefined) yield ['broken', `breaks: ${String(seen.broken)}`];
  yield* lateness(request, seen, deadlineMs);
  const { text, finished, error } = readAnswer(asked.name, seen.status, seen.body);
  const whole = asked.name === 'count' ? '' : wordsFor(request.id).join('');
  if (seen.status !== record.status)
    yield ['status', `got ${seen.status}, and its record says ${record.status}`];
  if (seen.status !== 200) {
    if (record.outcome !== 'error')
      yield ['outcome', `got ${seen.status}, and its record says ${record.outcome}`];
    if (error === undefined) yield ['silent', `got ${seen.status} without an error that its client knows`];
  } else if (finished) {
    if (error !== undefined) yield ['both', `tells of an error and finishes all the same: ${error}`];
    else if (record.outcome !== 'success')
      yield ['finished', `looks finished, and its record says ${record.outcome}`];
    else if (text !== whole) yield ['text', `says "${text}" and not "${whole}"`];
  } else {
    if (error === undefined) yield ['cut', `ends without a word after "${text}"`];
    if (record.outcome === 'success') yield ['unfinished', 'does not finish, and its record says success'];
    if (!whole.startsWith(text)) yield ['part', `says "${text}", which is no beginning of "${whole}"`];
  }
  if (record.latency_ms < 0 || record.latency_ms > seen.endedMs - arrivedMs + 1) {
    yield ['latency', `took ${record.latency_ms} ms by its record, ${seen.endedMs - arrivedMs} by the clock`];
  }
}

function* lateness(
  { stream, arrivedMs, deadlineMs: own = Infinity, slow }: SimRequest,
  { headersMs, endedMs }: Seen,
  deadlineMs: number,
): Generator<[sort: string, what: string]> {
  const beginMs = (headersMs ?? endedMs) - arrivedMs;
  const tookMs = endedMs - arrivedMs;
  if (beginMs > Math.min(own, deadlineMs) + SLACK_MS) yield ['late', `begins after ${beginMs / 1000} s`];
  if (slow) return;
  const mostMs = stream ? Math.min(own, TOTAL_MS) : Math.min(own, deadlineMs);
  if (tookMs > mostMs + SLACK_MS) yield ['late', `ends after ${tookMs / 1000} s`];
}

/** Whether the proxy answers by itself for this target. */
function isLocal({ asked }: SimRequest, { provider }: SimRequest['route']['targets'][number]): boolean {
  return wirePath(provider.protocol, asked.name) === undefined;
}

function stateOf({ calls }: SimRequest): string {
  const last = calls.at(-1);
  return last ? `${last.result ?? 'open'} (${last.outage?.kind ?? 'fine'})` : 'missing';
}

/** Problems of the same class with the same fault count as one. */
function causeOf({ calls, asked }: SimRequest): string {
  const last = calls.at(-1);
  return `${last?.target.provider.protocol} ${last?.outage?.kind} ${asked.name}`;
}
