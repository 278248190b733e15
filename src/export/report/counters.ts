/** The counts of one export, and the first places of each kind of problem. */
import type { LineProblem } from '../../logs/reader.ts';
import type { RecordFacts } from './record-facts.ts';
import type { PlainFacts } from './record-facts.ts';
import { addFacts, factsOf, noFacts, plainFacts } from './record-facts.ts';
import type { Batch } from '../convert/batch.ts';
import type { Filter, RejectReason } from '../errors.ts';

export interface Places {
  count: number;
  /** The first places, as "file:line". */
  readonly places: string[];
}

/** Counts as plain data that can be sent to another process. */
export interface PlainCounts {
  readonly lines: number;
  readonly furtherAnswers: number;
  readonly feedback: number;
  readonly filtered: Readonly<Partial<Record<Filter, number>>>;
  readonly dropped: Readonly<Partial<Record<RejectReason, Places>>>;
  readonly bad: Readonly<Partial<Record<LineProblem, Places>>>;
  readonly redacted: Readonly<Record<string, number>>;
  readonly facts?: PlainFacts;
}

/** A line that produced no row, for a reason other than an option. */
export interface Trouble {
  readonly place: string;
  readonly kind: 'bad' | 'dropped';
  readonly reason: LineProblem | RejectReason;
}

const PLACES = 3;

export class Counters {
  files = 0;
  /** The number of lines that are not blank. */
  lines = 0;
  /** The number of answers beyond the first in records with several. */
  furtherAnswers = 0;
  /** Facts about the records that pass the filters; `undefined` without `--stats`. */
  facts: RecordFacts | undefined;
  /** The number of rows written. */
  rows = 0;
  /** The number of feedback lines. */
  feedback = 0;
  readonly filtered = new Map<Filter, number>();
  readonly dropped = new Map<RejectReason, Places>();
  readonly bad = new Map<LineProblem, Places>();
  /** The number of redactions by kind. */
  readonly redacted = new Map<string, number>();
  readonly #onTrouble: ((trouble: Trouble) => void) | undefined;

  /** @param onTrouble called with each dropped record and bad line */
  constructor(onTrouble?: (trouble: Trouble) => void) {
    this.#onTrouble = onTrouble;
  }

  /** @param placeOf returns the place of a line by its index within the batch */
  add(batch: Batch, placeOf: (line: number) => string): void {
    this.lines += batch.filled;
    this.furtherAnswers += batch.furtherAnswers;
    if (batch.facts) addFacts((this.facts ??= noFacts()), batch.facts);
    this.feedback += batch.feedback.length;
    for (const [reason, count] of batch.filtered) this.filter(reason, count);
    for (const [reason, count] of batch.dropped) placesOf(this.dropped, reason).count += count;
    for (const [reason, count] of batch.bad) placesOf(this.bad, reason).count += count;
    this.addRedacted(batch.redacted);
    for (const { line, kind, reason } of batch.troubles)
      this.#trouble({ place: placeOf(line), kind, reason });
  }

  get plain(): PlainCounts {
    return {
      lines: this.lines,
      furtherAnswers: this.furtherAnswers,
      feedback: this.feedback,
      filtered: Object.fromEntries(this.filtered),
      dropped: Object.fromEntries(this.dropped),
      bad: Object.fromEntries(this.bad),
      redacted: Object.fromEntries(this.redacted),
      ...(this.facts ? { facts: plainFacts(this.facts) } : {}),
    };
  }

  /** Adds the counts of another process. @param placeOf converts a place to this process's notation */
  addPlain(counts: PlainCounts, placeOf: (place: string) => string): void {
    this.lines += counts.lines;
    this.furtherAnswers += counts.furtherAnswers;
    this.feedback += counts.feedback;
    if (counts.facts) addFacts((this.facts ??= noFacts()), factsOf(counts.facts));
    for (const [reason, count] of entriesOf(counts.filtered)) this.filter(reason, count);
    for (const [reason, places] of entriesOf(counts.dropped))
      addPlaces(this.dropped, reason, places, placeOf);
    for (const [reason, places] of entriesOf(counts.bad)) addPlaces(this.bad, reason, places, placeOf);
    this.addRedacted(new Map(Object.entries(counts.redacted)));
  }

  filter(reason: Filter, count = 1): void {
    this.filtered.set(reason, (this.filtered.get(reason) ?? 0) + count);
  }

  drop(reason: RejectReason, place: string): void {
    placesOf(this.dropped, reason).count += 1;
    this.#trouble({ place, kind: 'dropped', reason });
  }

  spoil(reason: LineProblem, place: string): void {
    placesOf(this.bad, reason).count += 1;
    this.#trouble({ place, kind: 'bad', reason });
  }

  addRedacted(hits: ReadonlyMap<string, number>): void {
    for (const [kind, count] of hits)
      if (count > 0) this.redacted.set(kind, (this.redacted.get(kind) ?? 0) + count);
  }

  #trouble(trouble: Trouble): void {
    const { kind, reason, place } = trouble;
    const { places } =
      kind === 'bad'
        ? placesOf(this.bad, reason as LineProblem)
        : placesOf(this.dropped, reason as RejectReason);
    if (places.length < PLACES) places.push(place);
    this.#onTrouble?.(trouble);
  }
}

function entriesOf<Name extends string, Value>(
  record: Readonly<Partial<Record<Name, Value>>>,
): [Name, Value][] {
  return Object.entries(record) as [Name, Value][];
}

function addPlaces<Reason>(
  counts: Map<Reason, Places>,
  reason: Reason,
  { count, places }: Places,
  placeOf: (place: string) => string,
): void {
  const found = placesOf(counts, reason);
  found.count += count;
  found.places.push(...places.slice(0, PLACES - found.places.length).map(placeOf));
}

function placesOf<Reason>(counts: Map<Reason, Places>, reason: Reason): Places {
  let found = counts.get(reason);
  if (!found) {
    found = { count: 0, places: [] };
    counts.set(reason, found);
  }
  return found;
}
