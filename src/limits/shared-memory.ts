/**
 * Numbers that processes share: memory of one file that all of them map. What it holds is found by name; each number
 * of what is taken has a slot for each process, so that what a dead one held can be given back.
 */

/** Names that there may be. A name is never forgotten, so that no process ever looks at another's place. */
export const NAMES = 4_096;

const BYTES_OF_NAMES = NAMES * 2 * 8;

export class SharedMemory {
  readonly #names: BigInt64Array;
  readonly #times: BigInt64Array;
  /** A slot for each process, name by name. */
  readonly #slots: Int32Array;
  readonly #processes: number;

  /** @param bytes zeros at first, `SharedMemory.bytes()` of them @param processes as many as for all others */
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

  /** Where the numbers of a name are, the same for all. @throws Error when there are too many names */
  place(name: string): number {
    // Zero marks a free place.
    const wanted = BigInt.asIntN(64, Bun.hash.wyhash(name)) || 1n;
    const first = Number(BigInt.asUintN(32, wanted)) % NAMES;
    for (let step = 0; step < NAMES; step += 1) {
      const place = (first + step) % NAMES;
      const found = Atomics.compareExchange(this.#names, place, 0n, wanted);
      if (found === 0n || found === wanted) return place;
    }
    throw new Error(`Cannot share the limits of ${name}: ${NAMES} were shared since the start; restart`);
  }

  /** Adds to what one process holds. @param index of the process, from 0 */
  add(place: number, index: number, count: number): void {
    Atomics.add(this.#slots, place * this.#processes + index, count);
  }

  /** What all processes hold together. */
  total(place: number): number {
    const first = place * this.#processes;
    let total = 0;
    for (let slot = first; slot < first + this.#processes; slot += 1) {
      total += Atomics.load(this.#slots, slot);
    }
    return total;
  }

  /** Gives back all that one process held, which is no more. */
  release(index: number): void {
    for (let place = 0; place < NAMES; place += 1) {
      Atomics.store(this.#slots, place * this.#processes + index, 0);
    }
  }

  /** A moment, in whole units; 0 at first. */
  time(place: number): number {
    return Number(Atomics.load(this.#times, place));
  }

  /** @returns whether it was still `before` */
  setTime(place: number, before: number, after: number): boolean {
    const expected = BigInt(before);
    return Atomics.compareExchange(this.#times, place, expected, BigInt(after)) === expected;
  }
}
