/** What a provider was asked, against what the client asked: field by field, each by the name that its API has for it. */
import type { Problem } from '../answers/compare.ts';
import type { Api } from '../read/exchange.ts';
import type { Asker, Asking, Item, Parameter } from './asking.ts';
import { argumentsOf } from '../answers/compare.ts';
import { written } from '../answers/said.ts';
import { isObject, shown } from '../read/json.ts';
import { isForeign } from './refusals.ts';
import { propertiesOf } from './schema-names.ts';

/** How clients name the parameters, as far as what was left out is told by these. */
const NAMED: Readonly<Record<Parameter, RegExp>> = {
  max: /max_(?:completion_|output_)?tokens/,
  temperature: /temperature/,
  topP: /top_p/,
  topK: /top_k/,
  stop: /stop/,
  seed: /seed/,
  presence: /presence_penalty/,
  frequency: /frequency_penalty/,
  n: /\bn\b/,
  logprobs: /logprobs/,
  topLogprobs: /top_logprobs/,
  bias: /logit_bias/,
  parallel: /parallel/,
  effort: /reasoning|thinking|effort/,
  format: /response_format|\btext\b|output_config|output_format/,
  user: /user|safety_identifier|metadata/,
  tier: /service_tier/,
  verbosity: /verbosity/,
  modalities: /modalities/,
};

/** Highest temperature that a provider takes; clients may ask for up to 2. */
const HOTTEST: Readonly<Partial<Record<Api, number>>> = { messages: 1, converse: 1, cohere: 1 };

export interface Asked {
  readonly client: Asker;
  readonly target: Api;
  /** What the client was told to be left out. */
  readonly told: string;
}

type Differ = (what: string, got: unknown, right: unknown) => void;

/** The problems of a request. @param got what the provider was asked */
export function compareRequests(asks: Asking, got: Asking, asked: Asked): Problem[] {
  const problems: Problem[] = [];
  const wanted = asTaken(asks, got, asked.target);
  const differ: Differ = (what, given, right) => {
    if (Bun.deepEquals(given, right)) return;
    const text = `${what} asked of ${asked.target}: ${shown(given)}, not ${shown(right)}`;
    problems.push({ aspect: 'request', text });
  };
  const way = wayOfFormat(wanted, got);
  compareRan(wanted.items, got.items, asked, differ);
  compareWords(wanted, got, way, differ);
  differ('media', mediaOf(got.items), mediaOf(wanted.items));
  const foreign = mediaOf(got.items).filter(([, file]) => isForeign(String(file), asked.target));
  differ('files that only another vendor has', foreign, []);
  differ('calls', callsOf(got.items), callsOf(wanted.items));
  compareResults(wanted.items, got.items, asked.target, differ);
  if (tellsFailures(asked)) differ('failed results', failedOf(got.items), failedOf(wanted.items));
  compareTools(wanted, got, { asked, way }, differ);
  for (const name of Object.keys({ ...wanted.parameters, ...got.parameters }) as Parameter[]) {
    if (name !== 'format' || way === 'field') compareParameter(name, { wanted, got, asked, differ });
  }
  return problems;
}

/** Names of functions that vendors take, where that is not whatever OpenAI does. */
const NAMES: Readonly<Partial<Record<Api, RegExp>>> = {
  gemini: /^[A-Za-z_][\w.:-]{0,127}$/,
  cohere: /^[A-Za-z_][\w-]{0,63}$/,
  converse: /^[\w-]{1,64}$/,
  chat: /^[\w-]{1,64}$/,
};

/** What stands for a beginning, at vendors that want the user to begin. */
const BEGINNING = '.';

/**
 * What a client asks, where its vendor's form has no counterpart: a function whose name the target refuses has another, the same
 * everywhere, and at Bedrock the user says something first.
 */
function asTaken(asks: Asking, got: Asking, target: Api): Asking {
  const rule = NAMES[target];
  const others = new Map<string, string>();
  asks.tools.forEach(({ name }, at) => {
    const other = got.tools[at]?.name;
    if (rule && other !== undefined && !rule.test(name) && rule.test(other)) others.set(name, other);
  });
  const called = <T extends { readonly name: string }>(each: T): T => ({
    ...each,
    name: others.get(each.name) ?? each.name,
  });
  const items = asks.items.map((item) => (item.kind === 'call' ? called(item) : item));
  const [first] = items.filter((item) => item.kind !== 'text' || solid(item.text) !== '');
  const isBegun =
    first === undefined || first.kind === 'result' || ('role' in first && first.role !== 'assistant');
  const begins: Item[] =
    target === 'converse' && !isBegun ? [{ kind: 'text', role: 'user', text: BEGINNING }] : [];
  const choice = others.get(asks.choice ?? '') ?? asks.choice;
  return { ...asks, items: [...begins, ...items], tools: asks.tools.map(called), choice };
}

/** How a provider is asked for an answer of a shape: by a field, by a tool that takes it, or in so many words. */
type Way = 'field' | 'tool' | 'words';

function wayOfFormat({ parameters, tools }: Asking, got: Asking): Way {
  const { format } = parameters;
  if (format === undefined || got.parameters.format !== undefined) return 'field';
  const properties = propertiesOf(format);
  const known = new Set(tools.map(({ name }) => name));
  const takes = got.tools.some(
    (tool) => !known.has(tool.name) && Bun.deepEquals(tool.properties, properties),
  );
  if (takes && isObject(format)) return 'tool';
  const shape = isObject(format) ? solid(written(format)) : 'JSON';
  return solid(got.system).includes(shape) ? 'words' : 'field';
}

function compareWords(wanted: Asking, got: Asking, way: Way, differ: Differ): void {
  const [asked, right] = [solid(got.system), solid(wanted.system)];
  if (wanted.items.every((item) => item.kind === 'text' && solid(item.text) === '')) {
    // A provider that wants somebody to begin is told the instructions by the user.
    const words = saidBy(got.items).map(([, text]) => text);
    return differ('system', asked + words.join(''), right);
  }
  differ('system', way === 'words' && asked.includes(right) ? right : asked, right);
  differ('words', saidBy(withoutBeside(got.items, wanted.items)), saidBy(wanted.items));
}

/** What is said beside a document, at Bedrock, which takes none without a word. */
const BESIDE = 'See the document.';

function withoutBeside(items: readonly Item[], wanted: readonly Item[]): readonly Item[] {
  return wanted.some(({ kind }) => kind === 'file')
    ? items.filter((item) => item.kind !== 'text' || item.text !== BESIDE)
    : items;
}

/** Where results are text alone, a picture among them follows in the next turn. */
const TEXT_RESULTS: ReadonlySet<Api> = new Set<Api>(['chat', 'cohere', 'gemini']);

function compareResults(wanted: readonly Item[], got: readonly Item[], target: Api, differ: Differ): void {
  const shows = wanted.some((item) => 'role' in item && item.role === 'tool');
  if (shows && TEXT_RESULTS.has(target)) {
    const count = (items: readonly Item[]) => items.filter(({ kind }) => kind === 'result').length;
    return differ('number of results', count(got), count(wanted));
  }
  differ('results', resultsOf(got), resultsOf(wanted));
  const isSaid = wanted.some((item) => item.kind !== 'text' || solid(item.text) !== '');
  if (isSaid) differ('order', orderOf(got), orderOf(wanted));
}

/** Whether a provider ran it, but for a search for tools: what that found is among the tools. */
function isRun(item: Item): boolean {
  return item.kind === 'ran' && !item.name.startsWith('tool_search');
}

/** What a provider ran earlier is told to others only in name. */
function compareRan(
  wanted: readonly Item[],
  got: readonly Item[],
  { target, told }: Asked,
  differ: Differ,
): void {
  const [asked, right] = [got, wanted].map((items) => items.filter(isRun).length);
  if (asked! < right! && !/hosted_tool|(?:parts|input|content|steps)\./.test(told))
    differ('tools that ran', `neither sent nor named (${target})`, right);
}

/** Chat, Responses and Cohere have no mark for a result that is an error. */
function tellsFailures({ client, target }: Asked): boolean {
  return client === 'messages' && (target === 'converse' || target === 'gemini' || target === 'messages');
}

interface Choosing {
  readonly asked: Asked;
  readonly way: Way;
}

function compareTools(wanted: Asking, got: Asking, { asked, way }: Choosing, differ: Differ): void {
  const { target, told } = asked;
  const only = wanted.tools.some(({ name }) => name === wanted.choice);
  // A vendor that takes no name for the choice is given that one tool and must call one.
  const narrowed = only && got.tools.length === 1 && got.choice === 'required';
  const tools = narrowed ? wanted.tools.filter(({ name }) => name === wanted.choice) : wanted.tools;
  const none = wanted.choice === 'none' && got.tools.length === 0;
  const known = new Set(tools.map(({ name }) => name));
  const sent = way === 'tool' ? got.tools.filter(({ name }) => known.has(name)) : got.tools;
  // Bedrock wants the tools of earlier calls listed, whatever is offered now.
  const earlier = new Set(wanted.items.flatMap((item) => (item.kind === 'call' ? [item.name] : [])));
  const listed =
    target === 'converse' && tools.length === 0 && got.tools.every(({ name }) => earlier.has(name));
  if (!none && !listed) differ('tools', sent, tools);
  const unsaid = wanted.choice ?? 'auto';
  // Where nothing may be called, no tools say the same; without tools there is nothing to choose.
  const chosen = none || wanted.tools.length === 0 ? unsaid : (got.choice ?? 'auto');
  if (!narrowed && way !== 'tool' && !/tool_choice/.test(told)) differ('choice', chosen, unsaid);
  // As many as are not named are sent, by whatever name the vendor has for them.
  const unnamed = wanted.hosted.filter((type) => !isNamed(type, told));
  for (const type of unnamed.slice(got.hosted.length))
    differ(`tool ${type}`, `neither sent nor named (${target})`, 'one of both');
}

/** What tools that providers run have in common, whatever each vendor calls them. */
const FAMILIES = ['web_search', 'web_fetch', 'code', 'mcp', 'file_search', 'tool_search', 'image'];

/** Whether a tool that is left out is told by its place, its type, or what such tools are called. */
function isNamed(type: string, told: string): boolean {
  // With a dot behind it, only an option of the tool is named, or another tool.
  const names = told.split(/[,\s]+/);
  if (names.some((name) => name === 'tools' || /^tools\[\d+\]$/.test(name) || name.endsWith(type)))
    return true;
  return FAMILIES.some((family) => type.includes(family) && told.includes(family));
}

interface Compared {
  readonly wanted: Asking;
  readonly got: Asking;
  readonly asked: Asked;
  readonly differ: Differ;
}

/** Vendors that think at length, or not at all. */
const WITHOUT_MINIMAL: ReadonlySet<Api> = new Set<Api>(['messages', 'cohere']);

/** Both of them know the same words for these. */
const ALIKE: ReadonlySet<string> = new Set(['chat', 'responses']);

function compareParameter(name: Parameter, { wanted, got, asked, differ }: Compared): void {
  const { client, target, told } = asked;
  const right = wanted.parameters[name];
  const given = got.parameters[name];
  if (given === undefined) {
    // Without thinking: no less is known there.
    if (right === 'minimal' && name === 'effort' && WITHOUT_MINIMAL.has(target)) return;
    if (isUsual(name, right) || NAMED[name].test(told)) return;
    return differ(name, 'neither sent nor named', right);
  }
  if (right === undefined) {
    // Messages must be told a limit; OpenAI's defaults change nothing where they are said.
    if (name !== 'max' && !isUsual(name, given)) differ(name, given, 'not asked for');
    return;
  }
  const isOwn = name === 'effort' || name === 'user' || name === 'tier';
  if (isOwn && !(ALIKE.has(client) && ALIKE.has(target))) return;
  // A client that leaves the effort to the vendor may be given any.
  if (name === 'effort' && right === 'some') return;
  if (name === 'format' && (target === 'gemini' || typeof right === 'string')) return;
  if (name === 'temperature') return differ(name, given, Math.min(Number(right), HOTTEST[target] ?? 2));
  // Cohere's limits; see its reference.
  if (name === 'topP' && target === 'cohere')
    return differ(name, given, Math.min(0.99, Math.max(0.01, Number(right))));
  // Responses writes no fewer than these.
  if (name === 'max' && target === 'responses') return differ(name, given, Math.max(16, Number(right)));
  differ(name, given, right);
}

/** What the provider does anyhow. */
function isUsual(name: Parameter, value: unknown): boolean {
  const usual: Partial<Record<Parameter, unknown[]>> = {
    n: [1],
    logprobs: [false],
    parallel: [true],
    presence: [0],
    frequency: [0],
    stop: [[]],
    topLogprobs: [0],
    tier: ['auto', 'default'],
    effort: ['none', 'adaptive'],
    modalities: [['text']],
    topP: [-1],
    topK: [-1],
  };
  return (usual[name] ?? []).some((each) => Bun.deepEquals(each, value));
}

function solid(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

/** Who said what, neighbours of one role joined. */
function saidBy(items: readonly Item[]): string[][] {
  const said: string[][] = [];
  for (const item of items) {
    if (item.kind !== 'text' || solid(item.text) === '') continue;
    const last = said.at(-1);
    if (last?.[0] === item.role) last[1] += solid(item.text);
    else said.push([item.role, solid(item.text)]);
  }
  return said;
}

function mediaOf(items: readonly Item[]): string[][] {
  return items.flatMap((item) => ('data' in item ? [[item.kind, solid(item.data)]] : []));
}

function callsOf(items: readonly Item[]): unknown[] {
  return items.flatMap((item) => (item.kind === 'call' ? [[item.name, argumentsOf(item.input)]] : []));
}

/** Which call each result is of, and what it says: ids may be others, but must lead to the same call. */
function resultsOf(items: readonly Item[]): unknown[] {
  const calls = items.flatMap((item) => (item.kind === 'call' ? [item.id] : []));
  return items.flatMap((item) =>
    item.kind === 'result' ? [[calls.lastIndexOf(item.id), valueOf(item.text)]] : [],
  );
}

/** A result that is JSON is a value for some vendors. */
function valueOf(text: string): unknown {
  const value = argumentsOf(text);
  return typeof value === 'string' ? solid(value) : value;
}

function failedOf(items: readonly Item[]): boolean[] {
  return items.flatMap((item) => (item.kind === 'result' ? [item.failed] : []));
}

/** Turns and calls in their order, with the results of a turn before its words, as providers want them. */
function orderOf(items: readonly Item[]): string[] {
  const order = items
    .filter((item) => item.kind !== 'ran' && (item.kind !== 'text' || solid(item.text) !== ''))
    .map((item) => ('role' in item ? (item.role === 'tool' ? 'result' : item.role) : item.kind));
  return order.filter((each, at) => each !== order[at - 1]);
}
