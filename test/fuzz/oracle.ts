/** What must hold of every case, whatever was done to it. Each thing that does not is a sentence. */
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

/** What this proxy answers without beginning a request. */
const UNRECORDED = new Set(['unknown_url', 'method_not_allowed', 'host_not_allowed', 'origin_not_allowed']);

/** Statuses for what a client did wrong. */
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

/** Ollama's are words alone. */
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

/** Whether an answer stands for a request that has a record. */
export function isRecorded(got: Got): boolean {
  if (!got.headers.has('x-llmproxy-attempts')) return false;
  const { code, message } = errorIn(got);
  // Clients of Messages are told no code: what is not recorded is known by its words.
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

/** A caller may set a deadline that nobody can keep. */
function isOwnDeadline({ done, endpoint }: Case, status: number): boolean {
  // Tokens that are counted here take as long as they take.
  if (status === 504 && isCount(endpoint)) return true;
  return status === 504 && done.some((what) => /timeout/.test(what));
}

/** Some cannot say what is asked of them. */
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
  // Some providers give JSON another type, which is passed on.
  const listed = client === 'gemini' && /^\s*\[/.test(got.body.toString());
  const streamed = (isStream(got) || listed) && (fuzzed.stream || fuzzed.side === 'request');
  const text = streamed ? eventsIn(got.body.toString(), client, listed) : got.body.toString();
  // Names that providers give to events that say their type themselves are passed on, whatever they are.
  const speech = { ...SPEECHES[client], named: SPEECHES[client].named && record?.lane === 'translate' };
  const told = streamed ? readStream(text, speech) : readWhole(text, speech);
  const spoken = client === 'gemini' && streamed ? endedByItself(told, got.complete) : told;
  // A field that says that there is no error is none.
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

/** Whether a stream is events as it comes. */
function isEvents(client: Talk, listed: boolean): boolean {
  return !listed && !client.startsWith('ollama');
}

/** A stream as events: lines of JSON, and the members of a list, are such too. Line ends may be of any kind, and behind a byte order mark. */
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

/** The record says of the end what the client saw of it. */
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

/** What a provider got wrong in what it said, not in how: it is passed on. */
const PROVIDERS =
  /calls nothing|are no JSON object|is no object|(?:stop|finish)_reason is|behind other names/;

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
  // An event that is of none of the kinds is told once for each of them, and once for what is wrong with it.
  const telling = ours.filter((problem) => !problem.startsWith('ResponseStreamEvent must have'));
  return (telling.length > 0 ? telling : ours)
    .slice(0, 3)
    .map((problem) => `the stream breaks its grammar: ${problem.slice(0, 300)}`);
}

/** What the openai package makes of the stream. */
async function sdkProblems(text: string): Promise<string[]> {
  try {
    for await (const event of Stream.fromSSEResponse(new Response(text), new AbortController())) void event;
    return [];
  } catch (thrown) {
    return [`the openai package cannot read the stream: ${String(thrown).slice(0, 300)}`];
  }
}
