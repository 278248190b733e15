/** The invariants of every case, whatever its mutations. Each violation is a sentence. */
import { Stream } from 'openai/streaming';
import type { JsonObject } from '../../src/wire/json.ts';
import type { Talk } from '../../src/wire/endpoints.ts';
import type { Speech } from '../helpers/callers/speech.ts';
import type { ReadRecord } from '../../src/logs/record.ts';
import type { Read } from '../helpers/callers/read.ts';
import type { Case } from './case.ts';
import type { Got } from './client.ts';
import type { Asking } from './upstream.ts';
import { chat } from '../helpers/callers/chat.ts';
import { gemini } from '../helpers/callers/gemini.ts';
import { interactions } from '../helpers/callers/interactions.ts';
import { linesAsEvents, ollama } from '../helpers/callers/ollama.ts';
import { messages } from '../helpers/callers/messages.ts';
import { endedByItself, readStream, readWhole } from '../helpers/callers/read.ts';
import { responses } from '../helpers/callers/responses.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkChatStream } from '../helpers/grammar/chat.ts';
import { checkGeminiStream } from '../helpers/grammar/gemini.ts';
import { checkInteractionStream } from '../helpers/grammar/interactions.ts';
import { checkMessagesStream } from '../helpers/grammar/messages.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';
import type { Endpoint } from '../../src/wire/endpoints.ts';
import { isCount, isEmbedding, isTalk } from '../../src/wire/endpoints.ts';
import { ollamaLineProblems } from '../helpers/published/ollama.ts';
import { ANSWER_BOUNDS, isObject, objectOf, parseJson } from '../../src/wire/json.ts';
import { shapeProblems } from './shapes.ts';

export interface Seen {
  readonly got: Got;
  readonly asked: readonly Asking[];
  readonly records: readonly ReadRecord[];
}

const SPEECHES: Readonly<Record<Talk, Speech>> = {
  chat,
  messages,
  responses,
  gemini,
  'gemini.interactions': interactions,
  'ollama.chat': ollama('chat'),
  'ollama.generate': ollama('generate'),
};

/** Errors that the proxy returns without beginning a request. */
const UNRECORDED = new Set(['unknown_url', 'method_not_allowed', 'host_not_allowed', 'origin_not_allowed']);

/** Statuses for errors of the client. */
const CLIENTS_FAULT = new Set([400, 401, 404, 405, 408, 411, 413, 414, 415, 417, 426, 431, 499, 505, 508]);

export async function problemsOf(fuzzed: Case, seen: Seen): Promise<string[]> {
  const { got } = seen;
  if (got.hung) return [`no answer, and no end of the connection, for ${Math.round(got.ms)} ms`];
  return [...recordProblems(fuzzed, seen), ...(got.left ? [] : await answerProblems(fuzzed, seen))];
}

function bodyOf({ body }: Got): JsonObject {
  const value = parseJson(body.toString(), ANSWER_BOUNDS);
  return isObject(value) ? value : {};
}

/** Ollama's errors consist only of a message. */
function errorIn(got: Got): JsonObject {
  const { error } = bodyOf(got);
  return typeof error === 'string' ? { message: error } : objectOf(error);
}

function recordProblems({ id, side }: Case, { got, records }: Seen): string[] {
  const problems: string[] = [];
  if (records.length > 1) problems.push(`it has ${records.length} records`);
  const told = got.headers.get('x-request-id');
  const begun = told === id && isRecorded(got);
  const [record] = records;
  if (!record) return begun ? [...problems, 'it has no record'] : problems;
  if (record.fault === 'internal') problems.push(`a defect: ${record.error}`);
  if (record.latency_ms > 0 && !Number.isFinite(record.latency_ms)) problems.push('its latency is no number');
  if (got.status !== 0 && !got.left && record.status !== got.status)
    problems.push(`the client got status ${got.status}, the record has ${record.status} (${record.fault})`);
  if (
    side === 'request' &&
    got.left &&
    !['client_abort', 'success', 'error', 'truncated'].includes(record.outcome)
  )
    problems.push(`the client left, the record says ${record.outcome}`);
  return problems;
}

/** Whether an answer belongs to a request that has a record. */
export function isRecorded(got: Got): boolean {
  if (!got.headers.has('x-llmproxy-attempts')) return false;
  const { code, message } = errorIn(got);
  // Clients of Messages receive no code, so answers without a record are recognized by their message.
  const outside = /there is nothing at this path|not allowed here|Host header|its origin/i;
  return !UNRECORDED.has(String(code)) && !outside.test(String(message));
}

async function answerProblems(fuzzed: Case, seen: Seen): Promise<string[]> {
  const { got } = seen;
  const problems: string[] = [];
  const { status } = got;
  const error = errorIn(got);
  if (error.code === 'internal_error' || /internal error/i.test(String(error.message)))
    problems.push('the client was told of an internal error');
  if (
    fuzzed.side === 'request' &&
    status >= 500 &&
    !CLIENTS_FAULT.has(status) &&
    !isOwnDeadline(fuzzed, status)
  )
    problems.push(`status ${status} although the provider answers well: ${String(error.message)}`);
  if (status >= 200 && status < 300) problems.push(...(await successProblems(fuzzed, seen)));
  else if (
    status >= 400 &&
    got.complete &&
    got.body.length > 0 &&
    !isObject(parseJson(got.body.toString(), ANSWER_BOUNDS)) &&
    isJson(got)
  )
    problems.push('an error whose body is no JSON object');
  const last = seen.asked.at(-1)?.plan;
  if (
    fuzzed.side === 'answer' &&
    last?.sound &&
    seen.asked.length === 1 &&
    status !== 200 &&
    !isDeclined(fuzzed, status)
  )
    problems.push(`status ${status} although the provider's answer is sound: ${String(error.message)}`);
  return problems;
}

/** A caller may set a deadline that is impossible to meet. */
function isOwnDeadline({ done, endpoint }: Case, status: number): boolean {
  // Counting tokens in the proxy has no time limit of its own.
  if (status === 504 && isCount(endpoint)) return true;
  return status === 504 && done.some((what) => /timeout/.test(what));
}

/** Some providers cannot express a request. */
function isDeclined(fuzzed: Case, status: number): boolean {
  return status === 400 || (isEmbedding(fuzzed.endpoint) && status < 500);
}

function isJson({ headers }: Got): boolean {
  return headers.get('content-type')?.includes('json') ?? false;
}

async function successProblems(fuzzed: Case, seen: Seen): Promise<string[]> {
  const { endpoint } = fuzzed;
  if (isTalk(endpoint)) return await spokenProblems(fuzzed, seen, endpoint);
  const { got, asked, records } = seen;
  const [record] = records;
  const problems: string[] = [];
  const plan = asked.at(-1)?.plan;
  const streamed = isStream(got);
  const finished =
    got.complete &&
    (streamed && endpoint === 'completions' ? /^data: ?\[DONE\]/m.test(got.body.toString()) : true);
  if (
    finished &&
    plan?.unfinished &&
    !/status/.test(plan.unfinished) &&
    endpoint !== 'audio.speech' &&
    endpoint === 'completions'
  )
    problems.push(`the answer looks finished although ${plan.unfinished}`);
  if (!finished && record?.outcome === 'success')
    problems.push('a success by its record, which did not come to its end');
  if (
    !streamed &&
    got.complete &&
    isJson(got) &&
    parseJson(got.body.toString(), ANSWER_BOUNDS) === undefined &&
    understood(endpoint)
  )
    problems.push('a body that is no JSON');
  if (!streamed && got.complete && understood(endpoint) && record?.lane === 'translate')
    problems.push(...shapeProblems(endpoint, bodyOf(got)));
  return problems;
}

function understood(endpoint: string): boolean {
  return endpoint === 'completions' || isEmbedding(endpoint as Endpoint) || isCount(endpoint as Endpoint);
}

function isStream({ headers }: Got): boolean {
  return /event-stream|ndjson/.test(headers.get('content-type') ?? '');
}

async function spokenProblems(fuzzed: Case, seen: Seen, client: Talk): Promise<string[]> {
  const { got, asked, records } = seen;
  const [record] = records;
  // Some providers give JSON another content type, which is passed on.
  const listed = client === 'gemini' && /^\s*\[/.test(got.body.toString());
  const streamed = (isStream(got) || listed) && (fuzzed.stream || fuzzed.side === 'request');
  const text = streamed ? eventsIn(got.body.toString(), client, listed) : got.body.toString();
  // Names of events that state their type themselves are passed on unchanged from the provider.
  const speech = { ...SPEECHES[client], named: SPEECHES[client].named && record?.lane === 'translate' };
  const told = streamed ? readStream(text, speech) : readWhole(text, speech);
  const spoken = client === 'gemini' && streamed ? endedByItself(told, got.complete) : told;
  // An error field with null is not an error.
  const read = !streamed && bodyOf(got).error === null ? { ...spoken, error: undefined } : spoken;
  const finished = streamed ? read.ended : got.complete && !read.error && read.garbage.length === 0;
  const problems: string[] = [];
  const plan = asked.at(-1)?.plan;
  if (!streamed && got.complete && read.garbage.length > 0) problems.push('a body that is no JSON object');
  if (!streamed && read.error) problems.push('an error with the status of a success');
  if (plan?.unfinished && finished) problems.push(`the answer looks finished although ${plan.unfinished}`);
  if (plan?.unfinished && record?.outcome === 'success')
    problems.push(`a success by its record although ${plan.unfinished}`);
  if (streamed) problems.push(...endProblems(read, got, finished));
  problems.push(...agreement(finished, record));
  if (plan?.sound && fuzzed.side === 'answer' && seen.asked.length === 1)
    problems.push(...soundProblems(read, finished, plan.text));
  if (got.complete && record?.lane === 'translate')
    problems.push(
      ...(streamed
        ? grammarOf(client, isEvents(client, listed) ? got.body.toString() : text)
        : shapeProblems(client, bodyOf(got))),
    );
  if (streamed && finished && record?.lane === 'translate' && (client === 'chat' || client === 'responses'))
    problems.push(...(await sdkProblems(text)));
  return problems;
}

/** Whether a stream consists of events without any conversion. */
function isEvents(client: Talk, listed: boolean): boolean {
  return !listed && !client.startsWith('ollama');
}

/**
 * A stream as events; lines of JSON and the members of a list count as events too. Any line ends are accepted, and a
 * byte order mark before them.
 */
function eventsIn(body: string, client: Talk, listed: boolean): string {
  const text = body.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n');
  if (isEvents(client, listed)) return text;
  if (!listed) return linesAsEvents(text);
  const list = parseJson(text, ANSWER_BOUNDS);
  const values = Array.isArray(list) ? (list as unknown[]) : [text];
  return values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('');
}

function endProblems({ error, done }: Read, got: Got, finished: boolean): string[] {
  const problems: string[] = [];
  if (got.complete && !finished && !error)
    problems.push('a stream that ends without its terminator and without an error');
  if (error && done > 0) problems.push('a stream with both a terminator and an error');
  if (done > 1) problems.push(`a stream with ${done} terminators`);
  return problems;
}

/** The record must agree with the end that the client saw. */
function agreement(finished: boolean, record: ReadRecord | undefined): string[] {
  if (!record) return [];
  const { outcome, fault } = record;
  const whole = outcome === 'success' || (outcome === 'truncated' && fault === 'unknown_ending');
  return finished === whole
    ? []
    : [
        `the client saw ${finished ? 'an answer that is finished' : 'one that is not'}, the record says ${outcome} (${fault})`,
      ];
}

function soundProblems(read: Read, finished: boolean, text: string | undefined): string[] {
  if (!finished) return [`a sound answer does not look finished: ${read.error?.message ?? 'no error'}`];
  if (text === undefined || read.content === text) return [];
  return [
    `a sound answer says ${JSON.stringify(read.content).slice(0, 200)}, its provider ${JSON.stringify(text).slice(0, 200)}`,
  ];
}

/** Problems in the content of a provider's answer, not in its format: they are passed on. */
const PROVIDERS =
  /calls nothing|are not a JSON object|is no object|(?:stop|finish)_reason is|behind other names/;

const GRAMMARS: Readonly<Record<Talk, (text: string) => { problems: readonly string[] }>> = {
  chat: checkChatStream,
  messages: checkMessagesStream,
  responses: checkResponsesStream,
  gemini: checkGeminiStream,
  'gemini.interactions': checkInteractionStream,
  'ollama.chat': (text) => ({ problems: ollamaLineProblems('chat', valuesIn(text)) }),
  'ollama.generate': (text) => ({ problems: ollamaLineProblems('generate', valuesIn(text)) }),
};

function valuesIn(text: string): unknown[] {
  return framesOf(text, []).map(({ value }) => value);
}

function grammarOf(client: Talk, text: string): string[] {
  const { problems } = GRAMMARS[client](text);
  const ours = problems.filter((problem) => !PROVIDERS.test(problem));
  // An event of no known kind is reported once for each kind, and once for its actual problem.
  const telling = ours.filter((problem) => !problem.startsWith('ResponseStreamEvent must have'));
  return (telling.length > 0 ? telling : ours)
    .slice(0, 3)
    .map((problem) => `the stream breaks its grammar: ${problem.slice(0, 300)}`);
}

/** The problems that the openai package has with the stream. */
async function sdkProblems(text: string): Promise<string[]> {
  try {
    for await (const event of Stream.fromSSEResponse(new Response(text), new AbortController())) void event;
    return [];
  } catch (thrown) {
    return [`the openai package cannot read the stream: ${String(thrown).slice(0, 300)}`];
  }
}
