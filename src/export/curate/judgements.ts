import type { Feedback } from '../read/feedback.ts';
import type { RowTable, LogPlace } from './table/row-table.ts';
import type { JsonObject } from '../../wire/json.ts';
import { idHash } from '../conversation/conversation-hash.ts';
import { HashMap64 } from './table/hash-map.ts';

/** The feedback on one answer. */
export interface Judgement {
  readonly score?: number;
  readonly label?: boolean;
  readonly correction?: string | JsonObject;
}

/** Feedback, and its position in the log. */
export interface PlacedFeedback extends Feedback, LogPlace {
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

/**
 * The feedback on the answers in the table. Feedback on an answer applies to every record with the same answer to the
 * same prompt: a repetition is neither better nor worse.
 */
export class Judgements {
  readonly #table: RowTable;
  readonly #byContent = new HashMap64();
  readonly #judgements: Judgement[] = [];
  readonly #given: number;
  /** Feedback on known requests, by index. */
  readonly matched = new Set<number>();
  /** The part of it that the original caller gave. */
  readonly own = new Set<number>();

  constructor(table: RowTable, feedback: readonly Feedback[]) {
    this.#table = table;
    this.#given = feedback.length;
    if (feedback.length > 0) this.#join(feedback);
  }

  /** Feedback on unknown requests: filtered out, in another log, or invented. */
  get unmatched(): number {
    return this.#given - this.matched.size;
  }

  /** Feedback by another caller than the original one. */
  get foreign(): number {
    return this.matched.size - this.own.size;
  }

  /** Whether there is any feedback. */
  get any(): boolean {
    return this.#judgements.length > 0;
  }

  of(row: number): Judgement | undefined {
    if (!this.any) return undefined;
    const number = this.#byContent.get(this.#table.hi('content', row), this.#table.lo('content', row));
    return number === undefined ? undefined : this.#judgements[number];
  }

  #join(feedback: readonly Feedback[]): void {
    const about = byRequest(feedback);
    const ratings: Set<number>[] = [];
    for (let row = 0; row < this.#table.length; row++)
      for (const number of about(this.#table.hi('id', row), this.#table.lo('id', row))) {
        this.matched.add(number);
        if (feedback[number]!.key !== this.#table.group(row).key) continue;
        this.own.add(number);
        this.#ratingsOf(row, ratings).add(number);
      }
    for (const numbers of ratings) {
      // Equal feedback may refer to several records; it is applied in the order of the log.
      const inOrder = [...numbers].toSorted((a, b) => a - b);
      this.#judgements.push(judgementOf(inOrder.map((number) => feedback[number]!)));
    }
  }

  #ratingsOf(row: number, ratings: Set<number>[]): Set<number> {
    const [hi, lo] = [this.#table.hi('content', row), this.#table.lo('content', row)];
    const found = this.#byContent.get(hi, lo);
    if (found !== undefined) return ratings[found]!;
    const numbers = new Set<number>();
    this.#byContent.set(hi, lo, ratings.push(numbers) - 1);
    return numbers;
  }
}

/** The indexes of feedback by the hash of the request id that it refers to. */
function byRequest(feedback: readonly Feedback[]): (hi: number, lo: number) => readonly number[] {
  const places = new HashMap64();
  const numbers: number[][] = [];
  for (const [number, { about }] of feedback.entries()) {
    const { hi, lo } = idHash(about);
    const place = places.get(hi, lo);
    if (place === undefined) places.set(hi, lo, numbers.push([number]) - 1);
    else numbers[place]!.push(number);
  }
  return (hi, lo) => numbers[places.get(hi, lo) ?? -1] ?? [];
}

/** A later score or label replaces an earlier one, and so does a later correction. */
function judgementOf(ratings: readonly Feedback[]): Judgement {
  const verdict = ratings.findLast(({ score, label }) => score !== undefined || label !== undefined);
  const { score, label } = verdict ?? {};
  const correction = ratings.findLast((one) => one.correction !== undefined)?.correction;
  return {
    ...(score === undefined ? {} : { score }),
    ...(label === undefined ? {} : { label }),
    ...(correction === undefined ? {} : { correction }),
  };
}

/**
 * Whether an answer should not be learned according to its feedback.
 * @param least the required score; by default an answer is only bad if its score is below 0
 */
export function isBad(judgement: Judgement | undefined, least: number | undefined): boolean {
  const value = valueOf(judgement);
  return least === undefined ? (value ?? 0) < 0 : (value ?? -Infinity) < least;
}

/** A judgement as a number from -1 to 1; `undefined` when it has neither score nor label. */
export function valueOf(judgement: Judgement | undefined): number | undefined {
  if (judgement?.score !== undefined) return judgement.score;
  return judgement?.label === undefined ? undefined : judgement.label ? 1 : -1;
}
