/** All of one request as the page shows it. */
import type { AttemptRow, FeedbackRow, RequestDetail } from '../../../web/api.ts';
import type { JsonObject } from '../../../wire/json.ts';
import { isObject, listOf, numberOf, objectOf, stringOf } from '../../../wire/json.ts';
import { rowIn } from './requests.ts';
import { conversationIn } from './conversation.ts';

const MAX_ATTEMPTS = 100;
const MAX_FEEDBACK = 20;
/** The limit for a comment or a correction, characters. */
const MAX_WORDS = 10_000;

/** @param feedback the feedback on it, newest first */
export function detailOf(record: JsonObject, feedback: readonly JsonObject[]): RequestDetail {
  const text = (field: string) => stringOf(record[field]) ?? null;
  const number = (field: string) => numberOf(record[field]) ?? null;
  return {
    row: rowIn(record),
    cached_tokens: number('cached_tokens'),
    reasoning_tokens: number('reasoning_tokens'),
    failed_cost: numberOf(objectOf(record.failed).cost) ?? null,
    user_agent: text('user_agent'),
    lane: text('lane'),
    error: text('error'),
    attempt_log: listOf(record.attempt_log).filter(isObject).slice(0, MAX_ATTEMPTS).map(attemptIn),
    request_bytes: number('request_bytes') ?? 0,
    response_bytes: number('response_bytes') ?? 0,
    notes: notesOn(record),
    feedback: feedback.slice(0, MAX_FEEDBACK).map(feedbackIn),
    ...conversationIn(record),
    raw: { request: record.request !== undefined, response: record.response !== undefined },
  };
}

function attemptIn(attempt: JsonObject): AttemptRow {
  return {
    target: stringOf(attempt.target) ?? '',
    fault: stringOf(attempt.fault) ?? null,
    status: numberOf(attempt.status) ?? null,
    ms: numberOf(attempt.ms) ?? 0,
  };
}

function feedbackIn(record: JsonObject): FeedbackRow {
  const { score, label, comment, correction } = objectOf(record.feedback);
  const words = typeof correction === 'string' ? correction : correction && JSON.stringify(correction);
  return {
    ts: stringOf(record.ts) ?? '',
    score: numberOf(score) ?? null,
    label: typeof label === 'boolean' ? label : null,
    comment: stringOf(comment)?.slice(0, MAX_WORDS) ?? null,
    correction: stringOf(words)?.slice(0, MAX_WORDS) ?? null,
  };
}

function notesOn({ malformed, answer_dropped: dropped, parts, omitted, session }: JsonObject): string[] {
  const lost = listOf(dropped).map(String);
  const left = listOf(omitted).map(String);
  const { responses, closed_by: by } = objectOf(session);
  return [
    ...(Array.isArray(parts) ? [`Assembled from ${parts.length} streams, since the first was cut off`] : []),
    ...(numberOf(malformed) ? [`${String(malformed)} events of the stream could not be read`] : []),
    ...(lost.length > 0 ? [`The client's protocol cannot express: ${lost.join(', ')}`] : []),
    ...(left.length > 0 ? [`Too long to be logged, or not text: ${left.join(', ')}`] : []),
    ...(isObject(session) ? [`A session of ${String(responses)} answers, closed by the ${String(by)}`] : []),
  ];
}
