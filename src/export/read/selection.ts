/** Which records the user wants. */
import picomatch from 'picomatch';
import type { LineHead } from '../../logs/head.ts';
import { HeadScan, parseRest, parseShared } from '../../logs/head.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { factsOf } from './entry.ts';
import { FEEDBACK_ENDPOINT } from './feedback.ts';
import type { Facts } from './facts.ts';
import { tokenCount, verdictOf } from './facts.ts';
import { LogTimes } from './log-times.ts';
import type { StatusRange } from '../../config/export/values.ts';
import type { Filter } from '../errors.ts';
import type { Where } from './where.ts';

/** Plain data, so that it can go to another thread. A list that is left out or empty asks for nothing. */
export interface Selection {
  readonly successfulOnly: boolean;
  /** Whether `successfulOnly` takes answers that were put together from several streams. */
  readonly resumed?: 'include' | 'exclude';
  /** Part of the model name, in any case. */
  readonly modelFilter?: string;
  /** Globs; a star also takes slashes. */
  readonly models?: readonly string[];
  readonly providers?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly keys?: readonly string[];
  readonly users?: readonly string[];
  /** Each name with a value, which may be a glob. */
  readonly tags?: readonly (readonly [name: string, value: string])[];
  /** Ranges of HTTP status codes. */
  readonly statuses?: readonly StatusRange[];
  /** Finish reasons in lower case. */
  readonly finishReasons?: readonly string[];
  /** First moment, milliseconds since the epoch. */
  readonly fromMs?: number;
  /** Last moment, inclusive. */
  readonly untilMs?: number;
  /** The fewest tokens of input and output together, by the log. */
  readonly minTokens?: number;
  readonly maxLatencyMs?: number;
  /** See where.ts. */
  readonly where?: string;
}

/** Decides on lines and records. */
export interface Wanted {
  /** Looks at the lines of a block by their heads alone; left out where nothing is asked for. */
  readonly over?: (block: Buffer, heads?: HeadScan) => HeadFilter;
  /** Whether records that are no resumed ones are wanted as soon as their heads are. */
  readonly byHead: boolean;
  /** Why a record is not wanted, `undefined` when it is. */
  entry(facts: Facts, record: JsonObject): Filter | undefined;
}

/**
 * Why a line is not wanted, by its head alone; `undefined` when it must be parsed to know. Lines are asked about in their
 * order.
 * @param from where it begins in the block
 * @param to behind its last byte
 */
export type HeadFilter = (from: number, to: number) => Filter | undefined;

type Test<Seen = Facts> = (facts: Seen, record: JsonObject) => Filter | undefined;

/**
 * @param where its expression, compiled
 * @throws ExportError of kind `usage` when the selection makes no sense
 */
export function compileSelection(selection: Selection, where?: Where): Wanted {
  const whereTest: Test = (_, record) => (where!.matches(record) ? undefined : 'where');
  const shared = sharedTests(selection);
  const span = spanTest(selection);
  const later = headTests(selection);
  const ofHead: readonly Test[] = where?.headOnly ? [...later, whereTest] : later;
  const ofBody = [...bodyTests(selection), ...(where && !where.headOnly ? [whereTest] : [])];
  const all: readonly Test[] = [...shared, ...(span ? [span] : []), ...ofHead, ...ofBody];
  const asked = all.length > ofBody.length;
  const verdicts = remembered((text) => sharedVerdict(text, shared));
  const quick = { verdictOf: verdicts, span, later: where?.headOnly ? undefined : later, ofHead };
  return {
    ...(asked ? { over: (block, heads = new HeadScan(block)) => filterOver(block, heads, quick) } : {}),
    byHead: !filled(selection.users) && !filled(selection.tags) && (where?.headOnly ?? true),
    entry: (facts, record) => first(all, facts, record),
  };
}

/** The verdict of a head: the filter that leaves the line out, itself when further tests decide, `unknown` when it cannot be relied on. */
type Verdict = Filter | LineHead | 'unknown';

function sharedVerdict(text: string, tests: readonly Test<SharedFacts>[]): Verdict {
  const head = parseShared(text);
  // Feedback is wanted with whatever it is about.
  if (!head || head.endpoint === FEEDBACK_ENDPOINT) return 'unknown';
  const { failure } = verdictOf(head.endpoint, head);
  return first(tests, { ...head, failure }, NO_RECORD) ?? head;
}

/** Tests in the order of what they cost: on what many lines share, on the time, on the rest of the head. */
interface QuickTests {
  readonly verdictOf: (shared: string) => Verdict;
  readonly span: Test<Pick<Facts, 'ts'>> | undefined;
  /** On the rest of the head; left out where tests want all of it. */
  readonly later: readonly Test<RestFacts>[] | undefined;
  /** The same, and those that want all of it. */
  readonly ofHead: readonly Test[];
}

/** The facts that {@link headTests} use. */
type RestFacts = Pick<Facts, 'inputTokens' | 'outputTokens' | 'latencyMs' | 'key' | 'provider'>;

function filterOver(
  block: Buffer,
  heads: HeadScan,
  { verdictOf, span, later, ofHead }: QuickTests,
): HeadFilter {
  return (from, to) => {
    const shared = heads.shared(from, to);
    const verdict = shared === undefined ? 'unknown' : verdictOf(shared);
    if (verdict === 'unknown') return undefined;
    if (typeof verdict === 'string') return verdict;
    const outside = span?.({ ts: heads.time(from) }, NO_RECORD);
    if (outside !== undefined || ofHead.length === 0) return outside;
    const rest = later && restOf(verdict, heads.rest(from, to));
    return rest ? first(later, rest, NO_RECORD) : byHead(block.subarray(from, to), ofHead);
  };
}

function restOf({ provider }: LineHead, text: string | undefined): RestFacts | undefined {
  const rest = text === undefined || provider === undefined ? undefined : parseRest(text);
  if (!rest) return undefined;
  const { inputTokens, outputTokens, latencyMs, key } = rest;
  return {
    provider: provider!,
    inputTokens: tokenCount(inputTokens),
    outputTokens: tokenCount(outputTokens),
    latencyMs,
    key,
  };
}

function first<Seen>(tests: readonly Test<Seen>[], facts: Seen, record: JsonObject): Filter | undefined {
  for (const test of tests) {
    const filter = test(facts, record);
    if (filter !== undefined) return filter;
  }
  return undefined;
}

const NO_RECORD: JsonObject = {};

/** The facts that {@link sharedTests} use. */
type SharedFacts = Pick<Facts, 'model' | 'endpoint' | 'status' | 'finish' | 'failure'>;

/** How far the head may reach: names and tags in it are bounded. */
const HEAD_BYTES = 8_192;

/** Parses no more than the head of the line. */
function byHead(line: Buffer, tests: readonly Test[]): Filter | undefined {
  const end = line.subarray(0, HEAD_BYTES).indexOf(',"lane":');
  const head = end < 0 ? undefined : parseJson(`${line.toString('utf8', 0, end)}}`);
  const facts = isObject(head) ? factsOf(head) : undefined;
  return facts ? first(tests, facts, head as JsonObject) : undefined;
}

/** Tests on what {@link parseShared} reads. */
function sharedTests(selection: Selection): Test<SharedFacts>[] {
  const { modelFilter, models, endpoints, statuses, finishReasons, successfulOnly } = selection;
  const tests: Test<SharedFacts>[] = [];
  if (modelFilter !== undefined) {
    const part = modelFilter.toLowerCase();
    tests.push(({ model }) => (model.toLowerCase().includes(part) ? undefined : 'model'));
  }
  if (filled(models)) tests.push(globTest(models, ({ model }) => model, 'model'));
  if (filled(endpoints)) tests.push(globTest(endpoints, ({ endpoint }) => endpoint, 'endpoint'));
  if (successfulOnly) tests.push(({ failure }) => failure);
  if (filled(statuses)) {
    const wanted = (status: number) => statuses.some(([from, to]) => status >= from && status <= to);
    tests.push(({ status }) => (status !== null && wanted(status) ? undefined : 'status'));
  }
  if (filled(finishReasons))
    tests.push(({ finish }) =>
      finishReasons.includes(finish?.toLowerCase() ?? '') ? undefined : 'finish_reason',
    );
  return tests;
}

function spanTest({ fromMs, untilMs }: Selection): Test<Pick<Facts, 'ts'>> | undefined {
  if (fromMs === undefined && untilMs === undefined) return undefined;
  const times = new LogTimes();
  return ({ ts }) => {
    const ms = times.read(ts);
    // A time that cannot be read is in no span.
    return ms >= (fromMs ?? -Infinity) && ms <= (untilMs ?? Infinity) ? undefined : 'date';
  };
}

/** Tests on the rest of the head. */
function headTests({ providers, keys, minTokens, maxLatencyMs }: Selection): Test<RestFacts>[] {
  const tests: Test<RestFacts>[] = [];
  if (filled(providers)) tests.push(globTest(providers, ({ provider }) => provider, 'provider'));
  if (filled(keys)) tests.push(globTest(keys, ({ key }) => key, 'key'));
  if (minTokens !== undefined)
    tests.push(({ inputTokens, outputTokens }) =>
      inputTokens !== null && outputTokens !== null && inputTokens + outputTokens >= minTokens
        ? undefined
        : 'tokens',
    );
  if (maxLatencyMs !== undefined)
    tests.push(({ latencyMs }) => (latencyMs !== null && latencyMs <= maxLatencyMs ? undefined : 'latency'));
  return tests;
}

/** Tests on what old lines hold in the body alone, or all do. */
function bodyTests({ users, tags, successfulOnly, resumed }: Selection): Test[] {
  const tests: Test[] = [];
  if (filled(users)) tests.push(({ user }) => (user !== null && users.includes(user) ? undefined : 'user'));
  for (const [name, value] of tags ?? []) {
    const matches = globOf([value]);
    tests.push(({ tags: own }) => (Object.hasOwn(own, name) && matches(own[name]!) ? undefined : 'tag'));
  }
  if (successfulOnly && resumed !== 'include') tests.push((facts) => (facts.resumed ? 'resumed' : undefined));
  return tests;
}

function globTest<Seen>(
  patterns: readonly string[],
  textOf: (facts: Seen) => string | null,
  filter: Filter,
): Test<Seen> {
  const matches = remembered(globOf(patterns));
  return (facts) => {
    const text = textOf(facts);
    return text !== null && matches(text) ? undefined : filter;
  };
}

/** Texts that are remembered: a log holds few, again and again. */
const MAX_REMEMBERED = 1_000;

function remembered<Answer>(ask: (text: string) => Answer): (text: string) => Answer {
  const known = new Map<string, Answer>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = ask(text);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(text, answer);
    }
    return answer;
  };
}

/** Names are no paths: a star takes slashes too. */
function globOf(patterns: readonly string[]): (text: string) => boolean {
  return picomatch([...patterns], { bash: true, dot: true });
}

function filled<Item>(list: readonly Item[] | undefined): list is readonly Item[] {
  return list !== undefined && list.length > 0;
}

/** A field of a record as text, dots within: "tags.team"; empty when it is not there. */
export function fieldText(record: JsonObject, path: string): string {
  let value: unknown = record;
  for (const name of path.split('.'))
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
