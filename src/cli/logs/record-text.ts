/** One record as readable text. */
import type { JsonObject } from '../../wire/json.ts';
import { isObject, listOf, numberOf, stringOf } from '../../wire/json.ts';
import { amount, dollars } from '../amounts.ts';
import { attemptLines } from '../lines/attempt-lines.ts';
import { span } from '../lines/figures.ts';
import type { Paint } from '../lines/paint.ts';
import { name } from '../lines/request-line.ts';
import { wrapped } from '../wrap.ts';
import type { Turn } from './turns.ts';
import { answeredTurns, requestTurns } from './turns.ts';

export interface RecordTextOptions {
  readonly paint: Paint;
  /** The width of the terminal; `Infinity` when the output is not a terminal. */
  readonly width: number;
  /** Formats a time given in epoch milliseconds. */
  readonly time: (ms: number) => string;
}

const LABEL = 10;
const INDENT = '  ';
/** The longest JSON that is shown in place of a conversation, characters. */
const MOST_JSON = 4_000;

/**
 * Facts, attempts, and the conversation.
 * @param feedback the feedback records on it
 */
export function recordText(
  record: JsonObject,
  feedback: readonly JsonObject[],
  options: RecordTextOptions,
): string {
  const { paint } = options;
  const attempts = attemptLines(record, paint);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint.bold(title), ...lines.map((line) => `${INDENT}${line}`)];
  return [
    ...facts(record, options),
    ...section('Attempts', attempts),
    ...section('Feedback', feedback.map(feedbackLine)),
    ...turnLines(record, paint),
  ].join('\n');
}

function facts(record: JsonObject, { paint, width, time }: RecordTextOptions): string[] {
  const rows = rowsOf(record, time).filter((row) => row[1] !== '');
  return rows.flatMap(([label, words]) => {
    const [first = '', ...more] = wrapped(words, width - LABEL);
    const indent = ' '.repeat(LABEL);
    return [`${paint.dim(label.padEnd(LABEL))}${first}`, ...more.map((line) => `${indent}${line}`)];
  });
}

function rowsOf(record: JsonObject, time: (ms: number) => string): [label: string, words: string][] {
  const { ts, id, latency_ms: latency, endpoint, stream, model, key, group, labels, tags } = record;
  const beganMs = Date.parse(String(ts));
  const whole = numberOf(latency) ?? 0;
  const first = numberOf(record.first_content_ms);
  const who = [
    stringOf(key) && `key ${name(key)}`,
    stringOf(group) && `group ${name(group)}`,
    stringOf(record.user) && `user ${name(record.user)}`,
    ...pairs(labels),
    ...pairs(tags),
  ];
  return [
    ['id', name(id)],
    [
      'time',
      `${time(beganMs)}, ${span(whole)}${first === undefined ? '' : `, first content after ${span(first)}`}`,
    ],
    ['request', joined([name(stringOf(model) || endpoint), name(endpoint), stream === true && 'stream'])],
    ['by', joined([...who, stringOf(record.user_agent) && name(record.user_agent)])],
    ['in', stringOf(record.conversation) ? `conversation ${name(record.conversation)}` : ''],
    ['answer', answerText(record)],
    ['error', errorText(record)],
    ['session', sessionText(record)],
    ['resumed', partsText(record)],
    ['tokens', tokensText(record)],
    ['cost', moneyText(record)],
    ['trace', stringOf(record.trace_id) ? name(record.trace_id) : ''],
    ['dropped', listOf(record.answer_dropped).map(name).join(', ')],
  ];
}

function answerText({
  status,
  outcome,
  provider,
  upstream_model: upstream,
  lane,
  finish,
  response_bytes: bytes,
}: JsonObject) {
  const target =
    typeof provider === 'string' ? [provider, stringOf(upstream)].filter(Boolean).join('/') : undefined;
  return joined([
    `${numberOf(status) ?? '-'} ${outcome === 'success' ? '' : name(outcome)}`.trim(),
    target === undefined ? undefined : name(target),
    stringOf(lane) && name(lane),
    stringOf(finish) && `finish ${name(finish)}`,
    numberOf(bytes) ? `${amount(numberOf(bytes)!)} bytes` : undefined,
  ]);
}

function errorText({ fault, error }: JsonObject): string {
  if (typeof fault !== 'string') return '';
  const words = plain(stringOf(error) ?? '').replaceAll('\n', ' ');
  return words === '' ? name(fault) : `${name(fault)}: ${words}`;
}

/** The course of a realtime session. */
function sessionText({ session }: JsonObject): string {
  if (!isObject(session)) return '';
  const { closed_by: by, client_events: sent, provider_events: received, responses, refused } = session;
  return joined([
    `closed by ${name(by)}`,
    `${figure(sent)} messages in`,
    `${figure(received)} out`,
    `${figure(responses)} answers`,
    numberOf(refused) ? `${figure(refused)} refused by limits` : undefined,
  ]);
}

/** For a stream that was interrupted and resumed: which target wrote which part. */
function partsText({ parts }: JsonObject): string {
  return listOf(parts)
    .filter(isObject)
    .map(({ target, fault }) => `${name(target)}${fault === null ? '' : ` (${name(fault)})`}`)
    .join(', then ');
}

function tokensText(record: JsonObject): string {
  const { input_tokens: input, output_tokens: output, estimate, units } = record;
  if (numberOf(input) === undefined && numberOf(output) === undefined)
    return isObject(estimate)
      ? `about ${figure(estimate.input_tokens)} in, ${figure(estimate.output_tokens)} out: the provider did not report it`
      : '';
  const part = (value: unknown, words: string) => (numberOf(value) ? ` (${figure(value)} ${words})` : '');
  const cached = part(record.cached_tokens, 'cached');
  const written = part(record.cache_write_tokens, 'written to the cache');
  const reasoning = part(record.reasoning_tokens, 'reasoning');
  const others = pairs(units).join(', ');
  return `${figure(input)} in${cached}${written}, ${figure(output)} out${reasoning}${others === '' ? '' : `; ${others}`}`;
}

function moneyText({ cost, failed, estimate }: JsonObject): string {
  const own = numberOf(cost);
  const guessed = isObject(estimate) ? numberOf(estimate.cost) : undefined;
  const lost = isObject(failed) ? numberOf(failed.cost) : undefined;
  return joined([
    own === undefined ? undefined : dollars(own),
    guessed === undefined ? undefined : `charged as ${dollars(guessed)}`,
    lost ? `${dollars(lost)} for attempts that failed` : undefined,
  ]);
}

function feedbackLine({ ts, feedback, score }: JsonObject): string {
  const given = isObject(feedback) ? feedback : {};
  const label = typeof given.label === 'boolean' ? (given.label ? 'good' : 'bad') : undefined;
  const points = numberOf(score) ?? numberOf(given.score);
  const words = stringOf(given.comment);
  return joined([
    stringOf(ts),
    points === undefined ? undefined : `score ${points}`,
    label,
    words === undefined ? undefined : plain(words).replaceAll('\n', ' '),
    given.correction === undefined
      ? undefined
      : `corrected: ${plain(jsonText(given.correction)).replaceAll('\n', ' ')}`,
  ]);
}

function turnLines(record: JsonObject, paint: Paint): string[] {
  const { request, response, content, omitted } = record;
  const [question, answered] = [requestTurns(request), answeredTurns(response)];
  const left = listOf(omitted).map(name);
  return [
    ...(question.length > 0
      ? question.flatMap((turn) => linesOf(turn, paint))
      : rawLines('Request', request, paint)),
    ...(answered.length > 0
      ? answered.flatMap((turn) => linesOf(turn, paint))
      : rawLines('Response', response, paint)),
    ...(left.length > 0 ? ['', `Not kept, since it was too long or not text: ${left.join(', ')}`] : []),
    ...(content === 'full' ? [] : ['', `Request and answer were not kept: content is ${name(content)}`]),
  ];
}

function linesOf({ who, pieces }: Turn, paint: Paint): string[] {
  const text = plain(pieces.join('\n'));
  return [
    '',
    paint.bold(paint.cyan(name(who))),
    ...text.split('\n').map((line) => `${INDENT}${line}`.trimEnd()),
  ];
}

function rawLines(title: string, value: unknown, paint: Paint): string[] {
  if (value === undefined) return [];
  const text = plain(jsonText(value));
  const shown =
    text.length > MOST_JSON ? `${text.slice(0, MOST_JSON).toWellFormed()}\n…  (--raw shows all)` : text;
  return ['', paint.bold(paint.cyan(title)), ...shown.split('\n').map((line) => `${INDENT}${line}`)];
}

function jsonText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** Text by people and models, with its line breaks, but without control characters. */
function plain(text: string): string {
  return Bun.stripANSI(text)
    .replaceAll('\r\n', '\n')
    .replaceAll(/(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ');
}

function pairs(fields: unknown): string[] {
  return isObject(fields)
    ? Object.entries(fields).map(([word, value]) => name(`${word}=${String(value)}`))
    : [];
}

function figure(value: unknown): string {
  return numberOf(value) === undefined ? '?' : numberOf(value)!.toLocaleString('en-US');
}

function joined(words: readonly (string | false | undefined)[]): string {
  return words.filter(Boolean).join(', ');
}
