import type { LogInput } from '../../logs/input.ts';

/** The part of one input that was read, decompressed. */
export interface InputSeen {
  readonly name: string;
  /** The number of bytes up to the end of the last whole line. */
  readonly bytes: number;
  /** The hash of these bytes in hex, if one was requested. */
  readonly sha256: string | undefined;
}

const NEWLINE = 10;

/** Counts the bytes of one input as they are read, and hashes them for the manifest if requested. */
export class InputWatch {
  readonly #input: LogInput;
  readonly #hasher: Bun.CryptoHasher | undefined;
  #bytes = 0;

  constructor(input: LogInput, { hash }: { readonly hash: boolean }) {
    this.#input = input;
    this.#hasher = hash ? new Bun.CryptoHasher('sha256') : undefined;
  }

  /** Whether the bytes themselves are not needed, so that another thread may read them. */
  get idle(): boolean {
    return this.#hasher === undefined;
  }

  /** Counts bytes that were read elsewhere. */
  pass(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Adds bytes as they were read: whole lines, except for the last one of an input. */
  see(bytes: Uint8Array): void {
    // A last line without its newline is still being written.
    const whole = bytes.at(-1) === NEWLINE ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    this.#hasher?.update(whole);
    this.#bytes += whole.length;
  }

  done(): InputSeen {
    return { name: this.#input.name, bytes: this.#bytes, sha256: this.#hasher?.digest('hex') };
  }
}
