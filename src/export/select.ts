/** Which records the user wants. */
import picomatch from 'picomatch';
import { scanHead } from '../logs/head.ts';
import type { LineHead } from '../logs/head.ts';
import { isObject, parseJson } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { factsOf } from './entry.ts';
import type { Facts } from './facts.ts';
import { verdictOf } from './facts.ts';
import { timeOf } from './moment.ts';
import type { Filter } from './reasons.ts';
import { statusTest } from './status.ts';
import { compileWhere } from './where.ts';

/** Plain data, so that it can go to another thread. A list that is left out or empty asks for nothing. */
export interface Selection {
  readonly successfulOnly: boolean;
  /** With `successfulOnly`: whether answers that were put together of several streams count. */
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
  /** "200", "2xx", "400-499". */
  readonly statuses?: readonly string[];
  /** In lower case. */
  readonly finishReasons?: readonly string[];
  /** First moment, milliseconds since the epoch. */
  readonly fromMs?: number;
  /** Last moment, inclusive. */
  readonly untilMs?: number;
  /** Of input and output together, by the log. */
  readonly minTokens?: number;
  readonly maxLatencyMs?: number;
  /** See where.ts. */
  readonly where?: string;
}

/** Decides on lines and records. */
export interface Wanted {
  /**
   * Why a line is not wanted, by its head alone; `undefined` when it must be parsed to know.
   * @param from where it begins in the block
   * @param to behind its last byte
   */
  head(block: Buffer, from: number, to: number): Filter | undefined;
  /** Why a record is not wanted, `undefined` when it is. */
  entry(facts: Facts, record: JsonObject): Filter | undefined;
}

type Test<Seen = Facts> = (facts: Seen, record: JsonObject) => Filter | undefined;

/** @throws ExportError of kind `usage` when the selection makes no sense */
export function compileSelection(selection: Selection): Wanted {
  const where = selection.where === undefined ? undefined : compileWhere(selection.where);
  const whereTest: Test = (_, record) => (where!.matches(record) ? undefined : 'where');
  const scanned = scannedTests(selection);
  const later = headTests(selection);
  const ofHead = where?.headOnly ? [...later, whereTest] : later;
  const ofBody = [...bodyTests(selection), ...(where && !where.headOnly ? [whereTest] : [])];
  const asked = scanned.length + ofHead.length > 0;
  return {
    head(block, from, to) {
      if (!asked) return undefined;
      const head = scanHead(block, from, to);
      // Feedback is wanted with whatever it is about.
      if (!head || head.endpoint === 'feedback') return undefined;
      const filter = first(scanned, new HeadFacts(head), NO_RECORD);
      return filter ?? (ofHead.length > 0 ? byHead(block.subarray(from, to), ofHead) : undefined);
    },
    entry: (facts, record) =>
      first(scanned, facts, record) ?? first(ofHead, facts, record) ?? first(ofBody, facts, record),
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

/** What the tests of {@link scannedTests} look at; what costs is found out when it is asked for. */
type ScannedFacts = Pick<Facts, 'ts' | 'model' | 'endpoint' | 'status' | 'finish' | 'failure'>;

class HeadFacts implements ScannedFacts {
  readonly #head: LineHead;
  readonly ts: string;
  readonly model: string;
  readonly endpoint: string;
  readonly status: number;
  readonly finish: string | null;

  constructor(head: LineHead) {
    this.#head = head;
    this.ts = head.ts;
    this.model = head.model;
    this.endpoint = head.endpoint;
    this.status = head.status;
    this.finish = head.finish;
  }

  get failure(): Filter | undefined {
    return verdictOf(this.endpoint, this.#head).failure;
  }
}

/** How far the head may reach: names and tags in it are bounded. */
const HEAD_BYTES = 8_192;

/** Parses no more than the head of the line. */
function byHead(line: Buffer, tests: readonly Test[]): Filter | undefined {
  const end = line.subarray(0, HEAD_BYTES).indexOf(',"lane":');
  const head = end < 0 ? undefined : parseJson(`${line.toString('utf8', 0, end)}}`);
  const facts = isObject(head) ? factsOf(head) : undefined;
  return facts ? first(tests, facts, head as JsonObject) : undefined;
}

/** Tests on what {@link scanHead} reads. */
function scannedTests(selection: Selection): Test<ScannedFacts>[] {
  const { modelFilter, models, endpoints, statuses, finishReasons, successfulOnly, fromMs, untilMs } =
    selection;
  const tests: Test<ScannedFacts>[] = [];
  if (modelFilter !== undefined) {
    const part = modelFilter.toLowerCase();
    tests.push(({ model }) => (model.toLowerCase().includes(part) ? undefined : 'model'));
  }
  if (filled(models)) tests.push(globTest(models, ({ model }) => model, 'model'));
  if (filled(endpoints))
    tests.push(({ endpoint }) => (endpoints.includes(endpoint) ? undefined : 'endpoint'));
  if (successfulOnly) tests.push(({ failure }) => failure);
  if (filled(statuses)) {
    const wanted = statusTest(statuses);
    tests.push(({ status }) => (status !== null && wanted(status) ? undefined : 'status'));
  }
  if (filled(finishReasons))
    tests.push(({ finish }) =>
      finishReasons.includes(finish?.toLowerCase() ?? '') ? undefined : 'finish_reason',
    );
  if (fromMs !== undefined || untilMs !== undefined) tests.push(spanTest(fromMs, untilMs));
  return tests;
}

function spanTest(fromMs = -Infinity, untilMs = Infinity): Test<ScannedFacts> {
  return ({ ts }) => {
    const ms = timeOf(ts);
    // A time that cannot be read is in no span.
    return ms >= fromMs && ms <= untilMs ? undefined : 'date';
  };
}

/** Tests on the rest of the head. */
function headTests({ providers, keys, minTokens, maxLatencyMs }: Selection): Test[] {
  const tests: Test[] = [];
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

/** Names that are remembered: a log holds few, again and again. */
const MAX_REMEMBERED = 1_000;

function remembered(matches: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = matches(text);
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
