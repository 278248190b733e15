import type { LogInput } from '../logs/input.ts';
import type { LineRange } from '../logs/ranges.ts';
import type { UsageOptions } from './options.ts';
import type { Counted } from './tally.ts';
import { readChunks } from '../logs/chunks.ts';
import { RangeReader } from '../logs/ranges.ts';
import { Repricer } from './pricing.ts';
import { Scanner } from './scan.ts';
import { Tally } from './tally.ts';

/** Counts what it is given: ranges of files, or whole inputs. The same code runs in every thread. */
export class Counter {
  readonly #tally: Tally;
  readonly #scanner: Scanner;
  readonly #ranges = new RangeReader();

  private constructor(options: UsageOptions, repricer: Repricer | undefined) {
    this.#tally = new Tally(options, repricer);
    this.#scanner = new Scanner(options, this.#tally);
  }

  /** With the prices loaded, if it needs them. */
  static async create(options: UsageOptions): Promise<Counter> {
    return new Counter(options, options.prices && (await Repricer.load(options.prices)));
  }

  /** @throws as the file system does */
  range(range: LineRange): void {
    for (const piece of this.#ranges.pieces(range)) this.#scanner.lines(piece);
    if (this.#ranges.tooLong) this.#scanner.unreadable();
  }

  /**
   * Counts an input that must be read from its start. @throws InputError when it cannot be read; the signal's reason
   * when it aborts
   */
  async input(input: LogInput, signal?: AbortSignal): Promise<void> {
    let spare: ArrayBuffer | undefined;
    const memory = (bytes: number) => {
      const taken = spare;
      spare = undefined;
      return taken && taken.byteLength >= bytes ? taken : new ArrayBuffer(bytes);
    };
    for await (const chunk of readChunks(input, { memory, ...(signal ? { signal } : {}) })) {
      if (chunk.tooLong || chunk.damaged) this.#scanner.unreadable();
      else {
        this.#scanner.lines(chunk.bytes);
        spare = chunk.bytes.buffer;
      }
    }
  }

  get counted(): Counted {
    return this.#tally.counted;
  }
}
