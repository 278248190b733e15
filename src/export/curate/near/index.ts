import type { Bands } from './bands.ts';
import { bandsFor, hashBands } from './bands.ts';
import { fmix32 } from './fmix32.ts';
import { Nearest } from './nearest.ts';
import { RecordRing } from './ring.ts';
import type { Templates } from './templates.ts';
import {
  agreement,
  countShared,
  countSharedByBoth,
  leastShared,
  PROMPT,
  SIGNATURE_BYTES,
  SIGNATURE_WORDS,
  VALUES,
} from './signature.ts';

export interface NearOptions {
  /** The threshold of similarity (Jaccard), from 0.5 to 1. */
  readonly threshold: number;
  readonly seed: number;
  /** Whether signatures are of pairs of texts, both of which must be similar. */
  readonly pairs?: boolean;
  /** For pairs: what many rows have in common, which is not compared. */
  readonly templates?: Templates;
  /** The memory limit; 256 MiB by default, enough for about a million rows. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 256 * 1024 ** 2;
/** The largest number of returned rows. */
const MOST = 16;
/** How many rows are examined per band, newest first, and how many are compared in total. */
const MAX_CHAIN = 64;
const MAX_COMPARED = 512;
/** Beside a template, the smallest number of equal values that cannot be chance. */
const LEAST_OWN = 4;
const FIRST_SLOTS = 64;

/**
 * A record: the signature, the number of the last search that saw it, and for each band the previous row in the chain.
 */
const SEEN = SIGNATURE_WORDS;
const BEFORE = SEEN + 1;
/** In place of the search number: marks a row that equals an earlier one and is in no chain. */
const COPY = -1;

/**
 * Finds near duplicates by signature. Rows that agree in all values of a band are in one chain, from the newest to the
 * oldest; their signatures then estimate the similarity. A pair at the threshold is found at least 19 times in 20. For
 * a threshold of 0.8, a pair at 0.75 is found half the time, and one at 0.7 hardly ever.
 *
 * Work and memory per row are bounded for any input: of many rows in a chain only the newest are compared, and when
 * memory is full the oldest row is dropped, which ends the chains where it was.
 */
export class NearIndex {
  readonly #bands: Bands;
  readonly #least: number;
  readonly #pairs: boolean;
  readonly #threshold: number;
  readonly #templates: Templates | undefined;
  /** The mask of the searched row, if it contains a template. */
  #common: Int32Array | undefined;
  readonly #seed: number;
  readonly #rows: RecordRing;
  readonly #maxSlots: number;
  /** The number of slots per band. */
  #slots = FIRST_SLOTS;
  /**
   * The newest row of each chain, by band and slot. Row numbers are stored plus one, here and within chains; 0 means
   * none.
   */
  #heads: Int32Array;
  readonly #signature = new Int32Array(SIGNATURE_WORDS);
  readonly #signatureBytes = new Uint8Array(this.#signature.buffer);
  readonly #hashes: Int32Array;
  #searches = 0;
  #compared = 0;
  /** Whether the last search has found an equal row. */
  #same = false;

  constructor({ threshold, seed, pairs = false, templates, maxBytes = MAX_BYTES }: NearOptions) {
    this.#bands = bandsFor(threshold);
    this.#threshold = threshold;
    this.#templates = templates;
    this.#pairs = pairs;
    // For pairs, the smaller count of the two texts is doubled, so that it compares with that of a whole signature.
    this.#least = pairs ? 2 * leastShared(threshold, VALUES / 2) : leastShared(threshold);
    this.#seed = fmix32(seed);
    const words = BEFORE + this.#bands.count;
    const { rows, slots } = roomFor(words, this.#bands.count, maxBytes);
    this.#rows = new RecordRing(words, rows);
    this.#maxSlots = slots;
    this.#heads = new Int32Array(this.#bands.count * this.#slots);
    this.#hashes = new Int32Array(this.#bands.count);
  }

  /** The number of rows dropped because memory was full, oldest first. */
  get forgotten(): number {
    return this.#rows.oldest;
  }

  get bytes(): number {
    return this.#rows.bytes + this.#heads.byteLength;
  }

  /** The number of signature comparisons so far. */
  get compared(): number {
    return this.#compared;
  }

  /**
   * Adds a row, whose number is the count of rows added before.
   * @returns the same as {@link find}
   */
  add(signature: Uint8Array): number[] {
    const found = this.find(signature);
    const kept = this.#rows.length - this.#rows.oldest;
    if (kept >= this.#slots && this.#slots < this.#maxSlots) this.#grow();
    const row = this.#rows.push();
    const piece = this.#rows.pieceOf(row);
    const offset = this.#rows.offsetOf(row);
    piece.set(this.#signature, offset);
    // Copies lead to nothing that the first one does not, and a few would displace everything else.
    piece[offset + SEEN] = this.#same ? COPY : 0;
    this.#link(row);
    return found;
  }

  /**
   * The numbers of up to 16 rows above the threshold, as estimated from signatures: nearest first, the earlier one
   * among equals.
   * @throws RangeError when it is not a signature of {@link MinHasher}
   */
  find(signature: Uint8Array): number[] {
    if (signature.length !== SIGNATURE_BYTES)
      throw new RangeError(`Cannot look up a signature of ${signature.length} bytes`);
    this.#signatureBytes.set(signature);
    this.#common = this.#templates?.maskOf(this.#signature, 0);
    hashBands(this.#signature, 0, this.#bands, this.#seed, this.#hashes, this.#common);
    this.#searches += 1;
    const nearest = new Nearest(MOST);
    const most = this.#compared + MAX_COMPARED;
    for (let band = 0; band < this.#bands.count && this.#compared < most && !nearest.complete; band++)
      this.#follow(band, most, nearest);
    this.#same = nearest.same;
    return nearest.rows;
  }

  /** Considers the rows in a band's chain that were not found through another band. */
  #follow(band: number, most: number, nearest: Nearest): void {
    const oldest = this.#rows.oldest;
    let next = this.#heads[this.#slot(band)]!;
    for (let step = 0; next > oldest && step < MAX_CHAIN && this.#compared < most; step++) {
      const row = next - 1;
      const piece = this.#rows.pieceOf(row);
      const offset = this.#rows.offsetOf(row);
      next = piece[offset + BEFORE + band]!;
      if (piece[offset + SEEN] === this.#searches) continue;
      piece[offset + SEEN] = this.#searches;
      this.#compared += 1;
      const shared = this.#pairs
        ? 2 * countSharedByBoth(this.#signature, 0, piece, offset)
        : countShared(this.#signature, 0, piece, offset);
      if (shared >= this.#least && this.#isOwn(piece, offset)) nearest.offer(row, shared);
      if (nearest.complete) return;
    }
  }

  /** Whether the searched row resembles another one in more than a template. */
  #isOwn(piece: Int32Array, offset: number): boolean {
    const common = this.#common;
    const prompt = this.#signature[PROMPT];
    if (!common || piece[offset + PROMPT] === prompt || piece[offset + PROMPT] === 0) return true;
    const shared = agreement([this.#signature, 0], [piece, offset], common);
    const compared = VALUES / 2 - shared.common;
    return shared.own >= Math.max(LEAST_OWN, leastShared(this.#threshold, compared));
  }

  /** The slot of the chain for a band's hash. */
  #slot(band: number): number {
    return band * this.#slots + (this.#hashes[band]! & (this.#slots - 1));
  }

  /** Puts a row at the head of its chains, unless it is a copy. */
  #link(row: number): void {
    const piece = this.#rows.pieceOf(row);
    const offset = this.#rows.offsetOf(row);
    if (piece[offset + SEEN] === COPY) return;
    const common = this.#templates?.maskOf(piece, offset);
    hashBands(piece, offset, this.#bands, this.#seed, this.#hashes, common);
    for (let band = 0; band < this.#bands.count; band++) {
      const slot = this.#slot(band);
      piece[offset + BEFORE + band] = this.#heads[slot]!;
      this.#heads[slot] = row + 1;
    }
  }

  /** Doubles the number of slots: with fewer slots than rows, chains become long. */
  #grow(): void {
    this.#slots *= 2;
    this.#heads = new Int32Array(this.#bands.count * this.#slots);
    for (let row = this.#rows.oldest; row < this.#rows.length; row++) this.#link(row);
  }
}

interface Room {
  readonly rows: number;
  /** The number of slots per band. */
  readonly slots: number;
}

/** The largest number of rows that fit, with at least one slot each. */
function roomFor(words: number, bands: number, maxBytes: number): Room {
  let best: Room = { rows: 1, slots: FIRST_SLOTS };
  for (let slots = FIRST_SLOTS; 4 * bands * slots < maxBytes; slots *= 2) {
    const rows = Math.min(slots, Math.floor((maxBytes / 4 - bands * slots) / words));
    if (rows > best.rows) best = { rows, slots };
  }
  return best;
}
