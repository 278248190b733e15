/** Compares a client's answer with the recording: every choice, part, order, id, count and source. */
import type { Api } from '../read/exchange.ts';
import type { Choice, Counts, Kind, Part, Said } from './said.ts';
import { exactJson, isObject, shown } from '../read/json.ts';
import { counts, ending } from './meaning.ts';

/** What can be wrong, by the name that rules and mutations use. */
export type Aspect =
  | 'status'
  | 'bytes'
  | 'text'
  | 'thinking'
  | 'refusal'
  | 'calls'
  | 'ids'
  | 'images'
  | 'audio'
  | 'ran'
  | 'order'
  | 'sources'
  | 'finish'
  | 'usage'
  | 'logprobs'
  | 'choices'
  | 'role'
  | 'ending'
  | 'grammar'
  | 'library'
  | 'request'
  | 'schema'
  | 'fault';

export interface Problem {
  readonly aspect: Aspect;
  readonly text: string;
}

export type Client = 'chat' | 'messages' | 'responses' | 'gemini';

/** Clients whose protocol puts a refusal in the text of the answer, with a finish reason for it. */
const REFUSES_IN_WORDS: ReadonlySet<Client> = new Set<Client>(['messages', 'gemini']);

/** An answer with its API and its vendor. */
export interface Spoken {
  readonly said: Said;
  readonly api: Api;
  readonly provider: string;
}

/** Clients whose protocol keeps the order of parts. Chat has a field for each kind and no order among them. */
const ORDERED: ReadonlySet<Client> = new Set<Client>(['messages', 'responses', 'gemini']);

/** The problems of an answer. @param got the answer in the client's protocol */
export function compareAnswers(wanted: Spoken, got: Said, client: Client): Problem[] {
  const problems: Problem[] = [];
  const differ = (aspect: Aspect, given: unknown, right: unknown) => {
    if (!Bun.deepEquals(given, right))
      problems.push({ aspect, text: `${aspect} is ${shown(given)}, not ${shown(right)}` });
  };
  const choices = wanted.said.choices;
  differ('choices', got.choices.length, Math.max(1, choices.length));
  for (const [index, choice] of choices.entries()) {
    const given = got.choices[index];
    if (given) compareChoices(choice, given, { differ, wanted, client });
  }
  const told = counts(wanted.api, wanted.provider, wanted.said.usage);
  const right = told && client === 'gemini' ? countsOfGemini(told) : told;
  if (right) differ('usage', counts(client, 'openai', got.usage), right);
  return problems;
}

/** Gemini does not report what was written to a cache, and counts thinking apart from text. */
function countsOfGemini(told: Counts): Counts {
  return { ...told, cacheWrite: 0, output: Math.max(told.output, told.reasoning) };
}

interface Comparing {
  readonly differ: (aspect: Aspect, given: unknown, right: unknown) => void;
  readonly wanted: Spoken;
  readonly client: Client;
}

function compareChoices(right: Choice, given: Choice, { differ, wanted, client }: Comparing): void {
  const inWords = REFUSES_IN_WORDS.has(client);
  const parts = inWords ? refusalsAsText(right.parts) : right.parts;
  const gotParts = inWords ? refusalsAsText(given.parts) : given.parts;
  differ('role', given.role, 'assistant');
  differ('text', joined(gotParts, 'text'), textWanted(gotParts, parts, client));
  // The items of a response are separated by blank lines; blocks of thinking are not.
  differ('thinking', solid(joined(gotParts, 'thinking')), solid(joined(parts, 'thinking')));
  differ('refusal', joined(gotParts, 'refusal'), joined(parts, 'refusal'));
  differ('calls', callsIn(gotParts), callsIn(parts));
  differ('ids', ...idsOf(gotParts, parts));
  differ('images', dataIn(gotParts, 'image'), dataIn(parts, 'image'));
  differ('audio', dataIn(gotParts, 'audio'), dataIn(parts, 'audio'));
  differ('ran', gotParts.some(isRun), parts.some(isRun));
  if (ORDERED.has(client)) differ('order', kindsIn(gotParts), kindsIn(parts));
  // Gemini's clients receive everything that a search found, not only what is cited.
  const cites =
    client === 'gemini' && parts.some(isRun) ? given.sources.intersection(right.sources) : given.sources;
  differ('sources', [...cites].toSorted(), [...right.sources].toSorted());
  differ('logprobs', given.logprobs.map(shortened), right.logprobs.map(shortened));
  differ('finish', ending(client, given), endingFor(client, wanted, right));
}

function endingFor(client: Client, { api }: Spoken, choice: Choice): string {
  const end = ending(api, choice);
  // The text of a refusal counts for clients whose protocol has a finish reason for it.
  const refuses = REFUSES_IN_WORDS.has(client) && choice.parts.some(({ kind }) => kind === 'refusal');
  if (refuses) return 'content_filter';
  // Calls determine the finish reason, even if the vendor's is another.
  const calls = choice.parts.some(({ kind }) => kind === 'call');
  return end === 'tool_calls' && !calls && client !== 'chat' ? 'stop' : end;
}

function isRun({ kind }: Part): boolean {
  return kind === 'ran';
}

/** The complete text of an answer, as a client's protocol represents it. */
export function textIn(parts: readonly Part[], client: Client): string {
  return joined(REFUSES_IN_WORDS.has(client) ? refusalsAsText(parts) : parts, 'text');
}

function joined(parts: readonly Part[], kind: 'text' | 'thinking' | 'refusal'): string {
  return parts.map((part) => (part.kind === kind ? part.text : '')).join('');
}

/** If a protocol has no form for audio, its transcript may replace it. */
function textWanted(given: readonly Part[], parts: readonly Part[], client: Client): string {
  const text = joined(parts, 'text');
  const heard = parts.map((part) => (part.kind === 'audio' ? part.transcript : '')).join('');
  return client !== 'chat' && joined(given, 'text') === text + heard ? text + heard : text;
}

/** Streams report logprobs with more digits than the complete response at their end. */
function shortened([token, logprob]: readonly [string, number]): [string, string] {
  return [token, (Math.round(logprob * 1e4) / 1e4).toFixed(4).replace('-0.0000', '0.0000')];
}

function solid(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

function refusalsAsText(parts: readonly Part[]): Part[] {
  return parts.map((part) => (part.kind === 'refusal' ? { kind: 'text', text: part.text } : part));
}

function callsIn(parts: readonly Part[]): [string, unknown][] {
  return parts.flatMap((part) => (part.kind === 'call' ? [[part.name, argumentsOf(part.input)]] : []));
}

/** Arguments as a value; models and vendors omit those of a tool without parameters. Invalid JSON remains text. */
export function argumentsOf(text: string): unknown {
  if (text.trim() === '' || text === 'null') return {};
  const value = exactJson(text);
  // Some clients write missing arguments as an empty list.
  if (Array.isArray(value) && value.length === 0) return {};
  return value === undefined ? text : value;
}

/** Ids that a provider sent must be kept for the client; others must differ from each other. */
function idsOf(given: readonly Part[], right: readonly Part[]): [unknown, unknown] {
  const got = given.flatMap((part) => (part.kind === 'call' ? [part.id ?? ''] : []));
  const wanted = right.flatMap((part) => (part.kind === 'call' ? [part.id] : []));
  const repeats = new Set(wanted).size < wanted.length && !wanted.includes(undefined);
  const each = got.map((id, at) => (wanted[at] === undefined || repeats ? (id === '' ? 'none' : 'any') : id));
  const distinct = new Set(got).size === got.length;
  return [
    { each, distinct },
    { each: wanted.map((id) => (id === undefined || repeats ? 'any' : id)), distinct: true },
  ];
}

function dataIn(parts: readonly Part[], kind: 'image' | 'audio'): string[] {
  return parts.flatMap((part) => (part.kind === kind && 'data' in part ? [part.data] : []));
}

/** The kinds in order; neighbours of one kind count once, except that each call counts. */
function kindsIn(parts: readonly Part[]): Kind[] {
  const kinds = parts.filter((part) => part.kind !== 'ran' && !isBlank(part)).map(({ kind }) => kind);
  return kinds.filter((kind, at) => kind === 'call' || kind !== kinds[at - 1]);
}

/** Not every protocol accepts a part that is only white space. */
function isBlank(part: Part): boolean {
  return 'text' in part && part.text.trim() === '';
}

/** Numbers beyond 2^53 as a client's library reads them. */
export function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rounded(each)]));
}
