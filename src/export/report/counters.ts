/** Counts of one export, and where the first of each kind of trouble is. */
import type { LineProblem } from '../../logs/reader.ts';
import type { RecordFacts } from './record-facts.ts';
import { addFacts, noFacts } from './record-facts.ts';
import type { Batch } from '../convert/batch.ts';
import type { Filter, RejectReason } from '../errors.ts';

export interface Places {
  count: number;
  /** The first few, as "file:line". */
  readonly places: string[];
}

/** A line that gave no row although no option leaves it out. */
export interface Trouble {
  readonly place: string;
  readonly kind: 'bad' | 'dropped';
  readonly reason: LineProblem | RejectReason;
}

const PLACES = 3;

export class Counters {
  files = 0;
  /** Lines that are not blank. */
  lines = 0;
  /** Answers of records that hold several, but for the first of each. */
  furtherAnswers = 0;
  /** Facts about the records that the filters take; `undefined` without `--stats`. */
  facts: RecordFacts | undefined;
  /** Rows written. */
  rows = 0;
  /** Lines of feedback. */
  feedback = 0;
  readonly filtered = new Map<Filter, number>();
  readonly dropped = new Map<RejectReason, Places>();
  readonly bad = new Map<LineProblem, Places>();
  /** Hits of redaction by kind. */
  readonly redacted = new Map<string, number>();
  readonly #onTrouble: ((trouble: Trouble) => void) | undefined;

  /** @param onTrouble told each dropped record and bad line as it comes */
  constructor(onTrouble?: (trouble: Trouble) => void) {
    this.#onTrouble = onTrouble;
  }

  /** @param placeOf the place of a line of the batch, from 0 */
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

function placesOf<Reason>(counts: Map<Reason, Places>, reason: Reason): Places {
  let found = counts.get(reason);
  if (!found) {
    found = { count: 0, places: [] };
    counts.set(reason, found);
  }
  return found;
}
