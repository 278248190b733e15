/** Compares a provider's request with the client's: field by field, each by its name in the API. */
import type { Problem } from '../answers/compare.ts';
import type { Api } from '../read/exchange.ts';
import type { Asker, Asking, Item, Parameter } from './asking.ts';
import { argumentsOf } from '../answers/compare.ts';
import { written } from '../answers/said.ts';
import { isObject, shown } from '../read/json.ts';
import { isForeign } from './refusals.ts';
import { propertiesOf } from './schema-names.ts';

/** How clients name the parameters, to recognize those that are reported as left out. */
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

/** The highest temperature that a provider accepts; clients may ask for up to 2. */
const HOTTEST: Readonly<Partial<Record<Api, number>>> = { messages: 1, converse: 1, cohere: 1 };

export interface Asked {
  readonly client: Asker;
  readonly target: Api;
  /** What the client was told was left out. */
  readonly told: string;
}

type Differ = (what: string, got: unknown, right: unknown) => void;

/** The problems of a request. @param got the request that the provider received */
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

/** The function names that vendors accept, if they differ from OpenAI's. */
const NAMES: Readonly<Partial<Record<Api, RegExp>>> = {
  gemini: /^[A-Za-z_][\w.:-]{0,127}$/,
  cohere: /^[A-Za-z_][\w-]{0,63}$/,
  converse: /^[\w-]{1,64}$/,
  chat: /^[\w-]{1,64}$/,
};

/** The placeholder text for vendors that require the user to begin. */
const BEGINNING = '.';

/**
 * The client's request, adapted where the vendor has no counterpart: a function whose name the target refuses is
 * renamed consistently, and at Bedrock the user must say something first.
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

/** How a provider is asked for an answer of a given shape: by a field, by a tool that takes it, or in the prompt. */
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
    // A provider that requires the user to begin receives the instructions as a user message.
    const words = saidBy(got.items).map(([, text]) => text);
    return differ('system', asked + words.join(''), right);
  }
  differ('system', way === 'words' && asked.includes(right) ? right : asked, right);
  differ('words', saidBy(withoutBeside(got.items, wanted.items)), saidBy(wanted.items));
}

/** The text beside a document for Bedrock, which does not accept a document without text. */
const BESIDE = 'See the document.';

function withoutBeside(items: readonly Item[], wanted: readonly Item[]): readonly Item[] {
  return wanted.some(({ kind }) => kind === 'file')
    ? items.filter((item) => item.kind !== 'text' || item.text !== BESIDE)
    : items;
}

/** APIs whose results are only text; an image in a result follows in the next turn. */
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

/** Whether a provider ran it, except for a search for tools, whose findings are among the tools. */
function isRun(item: Item): boolean {
  return item.kind === 'ran' && !item.name.startsWith('tool_search');
}

/** Earlier uses of a provider's own tools are sent to other providers only by name. */
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

/** Chat, Responses and Cohere cannot mark a result as an error. */
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
  // A vendor that accepts no name as the choice receives only that tool and must call one.
  const narrowed = only && got.tools.length === 1 && got.choice === 'required';
  const tools = narrowed ? wanted.tools.filter(({ name }) => name === wanted.choice) : wanted.tools;
  const none = wanted.choice === 'none' && got.tools.length === 0;
  const known = new Set(tools.map(({ name }) => name));
  const sent = way === 'tool' ? got.tools.filter(({ name }) => known.has(name)) : got.tools;
  // Bedrock requires the tools of earlier calls to be listed, whatever is offered now.
  const earlier = new Set(wanted.items.flatMap((item) => (item.kind === 'call' ? [item.name] : [])));
  const listed =
    target === 'converse' && tools.length === 0 && got.tools.every(({ name }) => earlier.has(name));
  if (!none && !listed) differ('tools', sent, tools);
  const unsaid = wanted.choice ?? 'auto';
  // If nothing may be called, omitting the tools means the same; without tools there is nothing to choose.
  const chosen = none || wanted.tools.length === 0 ? unsaid : (got.choice ?? 'auto');
  if (!narrowed && way !== 'tool' && !/tool_choice/.test(told)) differ('choice', chosen, unsaid);
  // Tools that are not reported as left out are sent, under the vendor's name for them.
  const unnamed = wanted.hosted.filter((type) => !isNamed(type, told));
  for (const type of unnamed.slice(got.hosted.length))
    differ(`tool ${type}`, `neither sent nor named (${target})`, 'one of both');
}

/** The kinds of tools that providers run, whatever each vendor calls them. */
const FAMILIES = ['web_search', 'web_fetch', 'code', 'mcp', 'file_search', 'tool_search', 'image'];

/** Whether a tool that is left out is reported by its position, its type, or the name of its kind. */
function isNamed(type: string, told: string): boolean {
  // With a dot after it, the name refers only to an option of the tool, or to another tool.
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

/** Vendors with thinking either on or off, without a minimal effort. */
const WITHOUT_MINIMAL: ReadonlySet<Api> = new Set<Api>(['messages', 'cohere']);

/** APIs with the same values for these. */
const ALIKE: ReadonlySet<string> = new Set(['chat', 'responses']);

function compareParameter(name: Parameter, { wanted, got, asked, differ }: Compared): void {
  const { client, target, told } = asked;
  const right = wanted.parameters[name];
  const given = got.parameters[name];
  if (given === undefined) {
    // Without thinking: there is no lower value.
    if (right === 'minimal' && name === 'effort' && WITHOUT_MINIMAL.has(target)) return;
    if (isUsual(name, right) || NAMED[name].test(told)) return;
    return differ(name, 'neither sent nor named', right);
  }
  if (right === undefined) {
    // Messages requires a limit; stating OpenAI's defaults changes nothing.
    if (name !== 'max' && !isUsual(name, given)) differ(name, given, 'not asked for');
    return;
  }
  const isOwn = name === 'effort' || name === 'user' || name === 'tier';
  if (isOwn && !(ALIKE.has(client) && ALIKE.has(target))) return;
  // A client that leaves the effort to the vendor accepts any.
  if (name === 'effort' && right === 'some') return;
  if (name === 'format' && (target === 'gemini' || typeof right === 'string')) return;
  // These accept a subset of JSON Schema only.
  if (name === 'format' && (target === 'messages' || target === 'converse'))
    return differ(name, propertiesOf(given), propertiesOf(right));
  if (name === 'temperature') return differ(name, given, Math.min(Number(right), HOTTEST[target] ?? 2));
  // Cohere's limits; see its reference.
  if (name === 'topP' && target === 'cohere')
    return differ(name, given, Math.min(0.99, Math.max(0.01, Number(right))));
  // The minimum of the Responses API.
  if (name === 'max' && target === 'responses') return differ(name, given, Math.max(16, Number(right)));
  differ(name, given, right);
}

/** Whether the value is the provider's default. */
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

/** Who said what, with neighbours of one role joined. */
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

/** The call and the content of each result: ids may differ, but must refer to the same call. */
function resultsOf(items: readonly Item[]): unknown[] {
  const calls = items.flatMap((item) => (item.kind === 'call' ? [item.id] : []));
  return items.flatMap((item) =>
    item.kind === 'result' ? [[calls.lastIndexOf(item.id), valueOf(item.text)]] : [],
  );
}

/** For some vendors, a result in JSON is sent as a value. */
function valueOf(text: string): unknown {
  const value = argumentsOf(text);
  return typeof value === 'string' ? solid(value) : value;
}

function failedOf(items: readonly Item[]): boolean[] {
  return items.flatMap((item) => (item.kind === 'result' ? [item.failed] : []));
}

/** Turns and calls in order, with the results of a turn before its text, as providers require. */
function orderOf(items: readonly Item[]): string[] {
  const order = items
    .filter((item) => item.kind !== 'ran' && (item.kind !== 'text' || solid(item.text) !== ''))
    .map((item) => ('role' in item ? (item.role === 'tool' ? 'result' : item.role) : item.kind));
  return order.filter((each, at) => each !== order[at - 1]);
}
