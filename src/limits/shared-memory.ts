/**
 * Numbers that processes share, in a memory-mapped file. Each number has a name; amounts that are taken have a slot for
 * each process, so that what a dead process held can be released.
 */

/** The largest number of names. Names are never deleted, so that no process ever uses a stale position. */
export const NAMES = 4_096;

const BYTES_OF_NAMES = NAMES * 2 * 8;

export class SharedMemory {
  readonly #names: BigInt64Array;
  readonly #times: BigInt64Array;
  /** A slot for each process, name by name. */
  readonly #slots: Int32Array;
  readonly #processes: number;

  /** @param bytes `SharedMemory.bytes()` of them, initially zero @param processes the same number in all processes */
  constructor(bytes: Uint8Array<ArrayBufferLike>, processes: number) {
    const { buffer, byteOffset } = bytes;
    this.#names = new BigInt64Array(buffer, byteOffset, NAMES);
    this.#times = new BigInt64Array(buffer, byteOffset + NAMES * 8, NAMES);
    this.#slots = new Int32Array(buffer, byteOffset + BYTES_OF_NAMES, NAMES * processes);
    this.#processes = processes;
  }

  static bytes(processes: number): number {
    return BYTES_OF_NAMES + NAMES * processes * 4;
  }

  /** The position of a name's numbers, the same in all processes. @throws Error when there are too many names */
  place(name: string): number {
    // Zero marks a free position.
    const wanted = BigInt.asIntN(64, Bun.hash.wyhash(name)) || 1n;
    const first = Number(BigInt.asUintN(32, wanted)) % NAMES;
    for (let step = 0; step < NAMES; step += 1) {
      const place = (first + step) % NAMES;
      const found = Atomics.compareExchange(this.#names, place, 0n, wanted);
      if (found === 0n || found === wanted) return place;
    }
    throw new Error(`Cannot share the limits of ${name}: ${NAMES} were shared since the start; restart`);
  }

  /** Adds to the amount that one process holds. @param index of the process, from 0 */
  add(place: number, index: number, count: number): void {
    Atomics.add(this.#slots, place * this.#processes + index, count);
  }

  /** The amount that all processes hold together. */
  total(place: number): number {
    const first = place * this.#processes;
    let total = 0;
    for (let slot = first; slot < first + this.#processes; slot += 1) {
      total += Atomics.load(this.#slots, slot);
    }
    return total;
  }

  /** Releases everything that a dead process held. */
  release(index: number): void {
    for (let place = 0; place < NAMES; place += 1) {
      Atomics.store(this.#slots, place * this.#processes + index, 0);
    }
  }

  /** A moment, in integer units; initially 0. */
  time(place: number): number {
    return Number(Atomics.load(this.#times, place));
  }

  /** @returns whether it was still `before` */
  setTime(place: number, before: number, after: number): boolean {
    const expected = BigInt(before);
    return Atomics.compareExchange(this.#times, place, expected, BigInt(after)) === expected;
  }
}
