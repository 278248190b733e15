/** What an export has seen of its inputs, so that the next one can tell what is new. */
import type { LogInput } from '../logs/input.ts';

/** What was read of one input, decompressed. */
export interface InputSeen {
  readonly name: string;
  /** Up to the end of the last whole line. */
  readonly bytes: number;
  /** Of these bytes; `undefined` when nobody asked. */
  readonly sha256: string | undefined;
  /** An earlier export named this input, but what it read then is no longer there. */
  readonly changed: boolean;
}

/** What an earlier export had read of an input. */
export interface ConsumedInput {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface WatchOptions {
  readonly hash: boolean;
  readonly consumed: readonly ConsumedInput[];
}

const NEWLINE = 10;

/** Follows one input as it is read. */
export class InputWatch {
  readonly #input: LogInput;
  readonly #hasher: Bun.CryptoHasher | undefined;
  readonly #consumed: ConsumedInput | undefined;
  #bytes = 0;
  #same: boolean;

  constructor(input: LogInput, { hash, consumed }: WatchOptions) {
    this.#input = input;
    const stem = stemOf(input.name);
    this.#consumed = consumed.find(({ name }) => stemOf(name) === stem);
    this.#hasher = hash || this.#consumed ? new Bun.CryptoHasher('sha256') : undefined;
    this.#same = false;
  }

  /** Nobody wants to know what is read, so that anybody may read it. */
  get idle(): boolean {
    return this.#hasher === undefined;
  }

  /** So many bytes were read by somebody else. */
  pass(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The bytes, cut where an earlier export ended. */
  *cut(
    bytes: Uint8Array<ArrayBuffer>,
  ): Generator<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly consumed: boolean }> {
    const old = Math.min(bytes.length, Math.max(0, (this.#consumed?.bytes ?? 0) - this.#bytes));
    // Slices, for whoever converts a part takes the memory behind it.
    if (old > 0)
      yield { bytes: this.#pass(old < bytes.length ? bytes.slice(0, old) : bytes), consumed: true };
    if (old > 0 && this.#bytes === this.#consumed?.bytes)
      this.#same = this.#hasher!.copy().digest('hex') === this.#consumed.sha256;
    if (old < bytes.length) yield { bytes: this.#pass(old > 0 ? bytes.slice(old) : bytes), consumed: false };
  }

  done(): InputSeen {
    const sha256 = this.#hasher?.digest('hex');
    return {
      name: this.#input.name,
      bytes: this.#bytes,
      sha256,
      changed: this.#consumed !== undefined && !this.#same,
    };
  }

  /** A last line without its end is not counted: it is there again next time. */
  #pass(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const whole = bytes.at(-1) === NEWLINE ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    this.#hasher?.update(whole);
    this.#bytes += whole.length;
    return bytes;
  }
}

/** The name without what compressing adds: the proxy compresses files of days that are over. */
function stemOf(name: string): string {
  return name.replace(/\.(gz|zst)$/, '');
}
