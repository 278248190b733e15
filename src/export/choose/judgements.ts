import type { Feedback } from '../feedback.ts';
import type { Candidates, LogPlace } from './candidates.ts';
import type { JsonObject } from '../../wire/json.ts';
import { idHash } from '../convert/chain.ts';
import { HashMap64 } from '../hash-map.ts';

/** What was said of one answer, later words before earlier ones. */
export interface Judgement {
  readonly score?: number;
  readonly label?: boolean;
  readonly correction?: string | JsonObject;
}

/** Feedback, and where in the log it stands. */
export interface PlacedFeedback extends Feedback, LogPlace {}

/** What people said of the candidates. */
export class Judgements {
  readonly #candidates: Candidates;
  readonly #byId = new HashMap64();
  readonly #said: Feedback[][] = [];
  /** Feedback about no request that is known here: filtered, of another log, or made up. */
  unmatched = 0;
  /** Feedback that another caller gave than the one who had asked. */
  foreign = 0;

  constructor(candidates: Candidates, feedback: readonly Feedback[]) {
    this.#candidates = candidates;
    for (const said of feedback) {
      const { hi, lo } = idHash(said.about);
      const found = this.#byId.get(hi, lo);
      if (found === undefined) this.#byId.set(hi, lo, this.#said.push([said]) - 1);
      else this.#said[found]!.push(said);
    }
    if (feedback.length > 0) this.#count();
  }

  /** Whether anything was said at all. */
  get any(): boolean {
    return this.#said.length > 0;
  }

  of(row: number): Judgement | undefined {
    const said = this.#about(row)?.filter(({ key }) => key === this.#candidates.facet(row).key);
    if (!said || said.length === 0) return undefined;
    return said.reduce<Judgement>(
      (all, { score, label, correction }) => ({
        ...all,
        ...(score === undefined ? {} : { score }),
        ...(label === undefined ? {} : { label }),
        ...(correction === undefined ? {} : { correction }),
      }),
      {},
    );
  }

  #about(row: number): readonly Feedback[] | undefined {
    if (!this.any) return undefined;
    const number = this.#byId.get(this.#candidates.hi('id', row), this.#candidates.lo('id', row));
    return number === undefined ? undefined : this.#said[number];
  }

  #count(): void {
    const matched = new Set<Feedback>();
    const own = new Set<Feedback>();
    for (let row = 0; row < this.#candidates.length; row++) {
      for (const said of this.#about(row) ?? []) {
        matched.add(said);
        if (said.key === this.#candidates.facet(row).key) own.add(said);
      }
    }
    this.unmatched = this.#said.flat().length - matched.size;
    this.foreign = matched.size - own.size;
  }
}

/**
 * Whether an answer is not to be learned by what was said of it.
 * @param least the score it must have; when left out, all are well that nobody calls bad
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
