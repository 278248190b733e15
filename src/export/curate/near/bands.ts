/**
 * Bands of a signature: similar texts agree in all values of some band, and are found by the hash of the band.
 * @see https://web.stanford.edu/class/cs246/ Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, chapter 3
 */
import { fmix32 } from './fmix32.ts';
import { expectedShared, PROMPT, valueAt, VALUES } from './signature.ts';

export interface Bands {
  readonly count: number;
  /** The number of values per band. */
  readonly length: number;
}

/** The probability that two texts at the threshold share a band. */
const RECALL = 0.975;
/** The limit on bands, since each costs memory per row. */
const MAX_BANDS = 20;
/** The smallest number of values in a band: in shorter bands, too many texts agree by chance. */
const MIN_LENGTH = 4;
/** In place of a value that is left out. */
const COMMON = 16;

/**
 * The lengths to try, longest first: long bands have the fewest false candidates, if a reasonable number of bands finds
 * enough.
 */
export function bandsFor(threshold: number): Bands {
  for (let length = VALUES; length > MIN_LENGTH; length--) {
    const count = bandsNeeded(threshold, length);
    if (count <= MAX_BANDS && count * length <= VALUES) return { count, length };
  }
  return { count: bandsNeeded(threshold, MIN_LENGTH), length: MIN_LENGTH };
}

function bandsNeeded(threshold: number, length: number): number {
  const same = expectedShared(threshold) ** length;
  return same === 1 ? 1 : Math.ceil(Math.log(1 - RECALL) / Math.log1p(-same));
}

/**
 * Writes the hashes of the bands of the signature that begins at word `from` to `hashes`.
 * @param common marks values of the second text of a pair that many rows share, and that are left out; a band without
 *   any others stands for the whole text
 */
export function hashBands(
  words: Int32Array,
  from: number,
  { count, length }: Bands,
  seed: number,
  hashes: Int32Array,
  common?: Int32Array,
): void {
  for (let band = 0, index = 0; band < count; band++) {
    let hash = seed ^ Math.imul(band, 0x9e3779b9);
    let own = common === undefined;
    for (const end = index + length; index < end; index++) {
      const isCommon = common !== undefined && valueAt(common, 0, index) !== 0;
      own ||= !isCommon && (index & 1) === 1;
      hash = Math.imul(hash ^ (isCommon ? COMMON : valueAt(words, from, index)), 0x01000193);
    }
    hashes[band] = fmix32(own ? hash : hash ^ words[from + PROMPT]!);
  }
}
