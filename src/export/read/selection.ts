/** Which records are selected. */
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

/** Plain data that can be sent to another thread. A list that is omitted or empty restricts nothing. */
export interface Selection {
  readonly successfulOnly: boolean;
  /** Whether `successfulOnly` accepts answers that were assembled from several streams. */
  readonly resumed?: 'include' | 'exclude';
  /** A part of the model name, regardless of case. */
  readonly modelFilter?: string;
  /** Globs; a star also matches slashes. */
  readonly models?: readonly string[];
  readonly providers?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly keys?: readonly string[];
  readonly users?: readonly string[];
  /** Names with values, which may be globs. */
  readonly tags?: readonly (readonly [name: string, value: string])[];
  /** Ranges of HTTP status codes. */
  readonly statuses?: readonly StatusRange[];
  /** Finish reasons in lower case. */
  readonly finishReasons?: readonly string[];
  /** The start of the period, milliseconds since the epoch. */
  readonly fromMs?: number;
  /** The end of the period, inclusive. */
  readonly untilMs?: number;
  /** The smallest number of input and output tokens together, as logged. */
  readonly minTokens?: number;
  readonly maxLatencyMs?: number;
  /** See where.ts. */
  readonly where?: string;
}

/** Selects lines and records. */
export interface Wanted {
  /** Tests the lines of a block by their heads only; omitted if nothing is restricted. */
  readonly over?: (block: Buffer, heads?: HeadScan) => HeadFilter;
  /** Whether all records except resumed ones are selected as soon as their heads are. */
  readonly byHead: boolean;
  /** Why a record is not selected, `undefined` when it is. */
  entry(facts: Facts, record: JsonObject): Filter | undefined;
}

/**
 * Why a line is not selected, by its head only; `undefined` when it must be parsed to decide. Lines are tested in
 * order.
 * @param from the start of the line in the block
 * @param to just past its last byte
 */
export type HeadFilter = (from: number, to: number) => Filter | undefined;

type Test<Seen = Facts> = (facts: Seen, record: JsonObject) => Filter | undefined;

/**
 * @param where its compiled expression
 * @throws ExportError of kind `usage` when the selection is invalid
 */
export function compileSelection(selection: Selection, where?: Where): Wanted {
  const whereTest: Test = (_, record) => (where!.matches(record) ? undefined : 'where');
  const shared = sharedTests(selection);
  const span = spanTest(selection);
  const later = headTests(selection);
  const ofHead: readonly Test[] = where?.headOnly ? [...later, whereTest] : later;
  const ofBody = [...bodyTests(selection), ...(where && !where.headOnly ? [whereTest] : [])];
  const all: readonly Test[] = [...shared, ...(span ? [span] : []), ...ofHead, ...ofBody];
  const filtersHead = all.length > ofBody.length;
  const verdicts = remembered((text) => sharedVerdict(text, shared));
  const quick = { verdictOf: verdicts, span, later: where?.headOnly ? undefined : later, ofHead };
  return {
    ...(filtersHead ? { over: (block, heads = new HeadScan(block)) => filterOver(block, heads, quick) } : {}),
    byHead: !filled(selection.users) && !filled(selection.tags) && (where?.headOnly ?? true),
    entry: (facts, record) => first(all, facts, record),
  };
}

/**
 * The verdict on a head: the filter that excludes the line, the head itself when further tests decide, `unknown` when
 * it is not reliable.
 */
type Verdict = Filter | LineHead | 'unknown';

function sharedVerdict(text: string, tests: readonly Test<SharedFacts>[]): Verdict {
  const head = parseShared(text);
  // Feedback is selected together with what it refers to.
  if (!head || head.endpoint === FEEDBACK_ENDPOINT) return 'unknown';
  const { failure } = verdictOf(head.endpoint, head);
  return first(tests, { ...head, failure }, NO_RECORD) ?? head;
}

/** Tests in the order of their cost: on the shared part of heads, on the time, on the rest of the head. */
interface QuickTests {
  readonly verdictOf: (shared: string) => Verdict;
  readonly span: Test<Pick<Facts, 'ts'>> | undefined;
  /** Tests on the rest of the head; omitted if tests need all of it. */
  readonly later: readonly Test<RestFacts>[] | undefined;
  /** The same, and those that need all of it. */
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

/** An upper bound for the length of a head: names and tags in it are bounded. */
const HEAD_BYTES = 8_192;

/** Parses only the head of the line. */
function byHead(line: Buffer, tests: readonly Test[]): Filter | undefined {
  const end = line.subarray(0, HEAD_BYTES).indexOf(',"lane":');
  const head = end < 0 ? undefined : parseJson(`${line.toString('utf8', 0, end)}}`);
  const facts = isObject(head) ? factsOf(head) : undefined;
  return facts ? first(tests, facts, head as JsonObject) : undefined;
}

/** Tests on the result of {@link parseShared}. */
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
    // An invalid time is in no period.
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

/** Tests on fields that old lines, or all lines, have in the body only. */
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

/** The number of cached texts: a log has few different ones. */
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

/** Names are not paths: a star matches slashes as well. */
function globOf(patterns: readonly string[]): (text: string) => boolean {
  return picomatch([...patterns], { bash: true, dot: true });
}

function filled<Item>(list: readonly Item[] | undefined): list is readonly Item[] {
  return list !== undefined && list.length > 0;
}

/** A field of a record as text, with dots: "tags.team"; empty when it is missing. */
export function fieldText(record: JsonObject, path: string): string {
  let value: unknown = record;
  for (const name of path.split('.'))
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
