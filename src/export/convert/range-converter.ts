import type { LineRange } from '../../logs/ranges.ts';
import type { Converter } from './converter.ts';
import type { RangeBatch } from './converters.ts';
import type { Plan } from './plan.ts';
import { RangeReader } from '../../logs/ranges.ts';

/**
 * The number of ranges between two garbage collections: head texts are far larger than the collector sees, and skipped
 * lines leave little else.
 */
const SWEEP_RANGES = 256;

/** The same when tokens are counted, each of which is a small object. */
const SWEEP_COUNTED = 16;

/** Reads ranges of a file and converts them. The same code runs in every thread. */
export class RangeConverter {
  readonly #converter: Converter;
  readonly #reader = new RangeReader();
  readonly #sweepEvery: number;
  #ranges = 0;

  constructor(converter: Converter, { countTokens }: Plan) {
    this.#converter = converter;
    this.#sweepEvery = countTokens ? SWEEP_COUNTED : SWEEP_RANGES;
  }

  /** @param memory for the rows; if they do not fit, they are in other memory */
  convert(range: LineRange, memory: ArrayBufferLike): RangeBatch {
    if (++this.#ranges % this.#sweepEvery === 0) Bun.gc(true);
    const batch = this.#converter.convert(this.#reader.pieces(range), memory);
    return { batch, tooLong: this.#reader.tooLong };
  }
}
