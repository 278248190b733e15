/** What an export has seen of its inputs, so that the next one can tell what is new. */
import type { LogInput } from '../../logs/input.ts';

/** What was read of one input, decompressed. */
export interface InputSeen {
  readonly name: string;
  /** Up to the end of the last whole line. */
  readonly bytes: number;
  /** Of these bytes; `undefined` when nobody asked. */
  readonly sha256: string | undefined;
  /** Lines at its beginning that an earlier export has had. */
  readonly had: number;
}

/** What an earlier export had read of an input. */
export interface ConsumedInput {
  readonly bytes: number;
  readonly sha256: string;
}

interface WatchOptions {
  readonly hash: boolean;
  readonly consumed: readonly ConsumedInput[];
}

const NEWLINE = 10;

/**
 * Follows one input as it is read. What an earlier export had of it is known by its bytes, whatever the file is called by
 * now: the proxy rotates and compresses its files.
 */
export class InputWatch {
  readonly #input: LogInput;
  readonly #hasher: Bun.CryptoHasher | undefined;
  /** Where earlier exports ended, in order, with the hashes of what goes before. */
  readonly #ends: readonly (readonly [bytes: number, hashes: ReadonlySet<string>])[];
  #passed = 0;
  #bytes = 0;
  #lines = 0;
  #had = 0;

  constructor(input: LogInput, { hash, consumed }: WatchOptions) {
    this.#input = input;
    this.#ends = endsOf(consumed);
    this.#hasher = hash || this.#ends.length > 0 ? new Bun.CryptoHasher('sha256') : undefined;
  }

  /** Nobody wants to know what is read, so that anybody may read it. */
  get idle(): boolean {
    return this.#hasher === undefined;
  }

  /** So many bytes were read by somebody else. */
  pass(bytes: number): void {
    this.#bytes += bytes;
  }

  /** These bytes were read: whole lines, but for the last of an input. */
  see(bytes: Uint8Array): void {
    // A last line without its end is not counted: it is there again next time.
    let rest = bytes.at(-1) === NEWLINE ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    for (let next = this.#ends[this.#passed]; next; next = this.#ends[this.#passed]) {
      const [end, hashes] = next;
      const before = end - this.#bytes;
      if (before > rest.length) break;
      this.#add(rest.subarray(0, before));
      rest = rest.subarray(before);
      this.#passed += 1;
      if (hashes.has(this.#hasher!.copy().digest('hex'))) this.#had = this.#lines;
    }
    this.#add(rest);
  }

  done(): InputSeen {
    const sha256 = this.#hasher?.digest('hex');
    return { name: this.#input.name, bytes: this.#bytes, sha256, had: this.#had };
  }

  #add(bytes: Uint8Array): void {
    this.#hasher?.update(bytes);
    this.#bytes += bytes.length;
    // Lines matter only where an earlier export may end.
    if (this.#passed < this.#ends.length) this.#lines += linesIn(bytes);
  }
}

function endsOf(consumed: readonly ConsumedInput[]): [number, Set<string>][] {
  const ends = new Map<number, Set<string>>();
  for (const { bytes, sha256 } of consumed) {
    if (bytes === 0) continue;
    const hashes = ends.get(bytes);
    if (hashes) hashes.add(sha256);
    else ends.set(bytes, new Set([sha256]));
  }
  return [...ends].toSorted(([a], [b]) => a - b);
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
