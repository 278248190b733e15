/** Counts facts about the records that pass the filters, whether or not they become rows, for `--stats`. */
import type { Entry } from '../read/facts.ts';
import { objectOf, stringOf } from '../../wire/json.ts';
import { countOf } from './text.ts';

/** Plain data that can be sent by another thread. */
export interface RecordFacts {
  records: number;
  /** Times of the first and last record, as logged; empty if unknown. */
  first: string;
  last: string;
  /** The cost of all records in USD, and the number of records with a known cost. */
  cost: number;
  priced: number;
  /** The number of records by client key, by tag as `name=value`, and of failed ones by fault. */
  readonly keys: Map<string, number>;
  readonly tags: Map<string, number>;
  readonly errors: Map<string, number>;
}

export function noFacts(): RecordFacts {
  return {
    records: 0,
    first: '',
    last: '',
    cost: 0,
    priced: 0,
    keys: new Map(),
    tags: new Map(),
    errors: new Map(),
  };
}

/** The JSON form of the same. */
export type PlainFacts = {
  readonly [Name in keyof RecordFacts]: RecordFacts[Name] extends Map<string, number>
    ? Readonly<Record<string, number>>
    : RecordFacts[Name];
};

export function plainFacts({ keys, tags, errors, ...facts }: RecordFacts): PlainFacts {
  const plain = (counts: ReadonlyMap<string, number>) => Object.fromEntries(counts);
  return { ...facts, keys: plain(keys), tags: plain(tags), errors: plain(errors) };
}

export function factsOf({ keys, tags, errors, ...facts }: PlainFacts): RecordFacts {
  const counts = (plain: Readonly<Record<string, number>>) => new Map(Object.entries(plain));
  return { ...facts, keys: counts(keys), tags: counts(tags), errors: counts(errors) };
}

/** Adds a record. */
export function addRecord(facts: RecordFacts, { ts, cost, key, tags, failure, status, record }: Entry): void {
  facts.records += 1;
  span(facts, ts, ts);
  if (cost !== null && Number.isFinite(cost)) {
    facts.cost += cost;
    facts.priced += 1;
  }
  countOf(facts.keys, key ?? 'none');
  for (const [name, value] of Object.entries(tags)) countOf(facts.tags, `${name}=${value}`);
  if (failure === 'unsuccessful') countOf(facts.errors, failureText(record, status));
}

/** Adds the facts about other records. */
export function addFacts(facts: RecordFacts, other: RecordFacts): void {
  facts.records += other.records;
  facts.cost += other.cost;
  facts.priced += other.priced;
  span(facts, other.first, other.last);
  for (const name of ['keys', 'tags', 'errors'] as const)
    for (const [value, count] of other[name]) facts[name].set(value, (facts[name].get(value) ?? 0) + count);
}

function span(facts: RecordFacts, first: string, last: string): void {
  if (first !== '' && (facts.first === '' || first < facts.first)) facts.first = first;
  if (last > facts.last) facts.last = last;
}

/** The fault in the record, otherwise its outcome, with the status. */
function failureText(record: object, status: number | null): string {
  const { fault, outcome } = objectOf(record);
  return `${stringOf(fault) ?? stringOf(outcome) ?? 'failed'}${status === null ? '' : ` ${status}`}`;
}
