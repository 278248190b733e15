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

/** Feedback, and where in the log it stands. */
export interface PlacedFeedback extends Feedback, LogPlace {
  /** Milliseconds since the epoch. */
  readonly writtenMs: number;
}

/**
 * What people said of the answers in the table. Words about an answer hold for every record of the same answer to the same prompt:
 * a repeat of it is neither better nor worse.
 */
export class Judgements {
  readonly #table: RowTable;
  readonly #byContent = new HashMap64();
  readonly #judgements: Judgement[] = [];
  readonly #given: number;
  /** Feedback about requests that are known here, by number. */
  readonly matched = new Set<number>();
  /** What of it came from the caller who had asked. */
  readonly own = new Set<number>();

  constructor(table: RowTable, feedback: readonly Feedback[]) {
    this.#table = table;
    this.#given = feedback.length;
    if (feedback.length > 0) this.#join(feedback);
  }

  /** Feedback about no request that is known here: filtered, of another log, or made up. */
  get unmatched(): number {
    return this.#given - this.matched.size;
  }

  /** Feedback that another caller gave than the one who had asked. */
  get foreign(): number {
    return this.matched.size - this.own.size;
  }

  /** Whether anything was said at all. */
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
    const said: Set<number>[] = [];
    for (let row = 0; row < this.#table.length; row++)
      for (const number of about(this.#table.hi('id', row), this.#table.lo('id', row))) {
        this.matched.add(number);
        if (feedback[number]!.key !== this.#table.group(row).key) continue;
        this.own.add(number);
        this.#saidOf(row, said).add(number);
      }
    for (const numbers of said) {
      // The same words may stand at several records; they go in the order of the log.
      const inOrder = [...numbers].toSorted((a, b) => a - b);
      this.#judgements.push(judgementOf(inOrder.map((number) => feedback[number]!)));
    }
  }

  #saidOf(row: number, said: Set<number>[]): Set<number> {
    const [hi, lo] = [this.#table.hi('content', row), this.#table.lo('content', row)];
    const found = this.#byContent.get(hi, lo);
    if (found !== undefined) return said[found]!;
    const numbers = new Set<number>();
    this.#byContent.set(hi, lo, said.push(numbers) - 1);
    return numbers;
  }
}

/** The numbers of feedback by the hash of the request's id that it is about. */
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

/** A later word takes the place of an earlier one: of a score or a label, of a correction. */
function judgementOf(said: readonly Feedback[]): Judgement {
  const verdict = said.findLast(({ score, label }) => score !== undefined || label !== undefined);
  const { score, label } = verdict ?? {};
  const correction = said.findLast((one) => one.correction !== undefined)?.correction;
  return {
    ...(score === undefined ? {} : { score }),
    ...(label === undefined ? {} : { label }),
    ...(correction === undefined ? {} : { correction }),
  };
}

/**
 * Whether an answer is not to be learned by what was said of it.
 * @param least the score it must have; by default, an answer is bad only when its score is below 0
 */
export function isBad(judgement: Judgement | undefined, least: number | undefined): boolean {
  const value = valueOf(judgement);
  return least === undefined ? (value ?? 0) < 0 : (value ?? -Infinity) < least;
}

/** A judgement as one number from -1 to 1; `undefined` when it holds neither score nor label. */
export function valueOf(judgement: Judgement | undefined): number | undefined {
  if (judgement?.score !== undefined) return judgement.score;
  return judgement?.label === undefined ? undefined : judgement.label ? 1 : -1;
}
