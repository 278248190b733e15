import type { Stage } from './stage.ts';

/** The interval between two checks of the memory, in milliseconds. */
export const LOOK_MS = 1_000;

/** The growth that garbage not yet collected may explain, in MB. */
const MOST_GROWN_MB = 128;

/** The memory of both proxies together. */
export class MemoryWatch {
  readonly #stage: Stage;
  readonly samples: number[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  look(): void {
    let sum = 0;
    for (const proxy of this.#stage.proxies.values()) sum += proxy.residentMb();
    this.samples.push(Math.round(sum));
  }

  /**
   * Compares the minimum of the last quarter with that of the second one: in the first, the programs warm up, and
   * memory fluctuates with garbage collection.
   */
  verdict(): { grownMb: number; lastMb: number; problem?: string } {
    const quarter = this.samples.length >> 2;
    const lastMb = Math.round(this.samples.at(-1) ?? 0);
    if (quarter < 5) return { grownMb: 0, lastMb };
    const least = (from: number) => Math.min(...this.samples.slice(from, from + quarter));
    const [before, after] = [least(quarter), least(this.samples.length - quarter)];
    const grownMb = Math.round(after - before);
    const problem = `memory grew from ${Math.round(before)} to ${Math.round(after)} MB`;
    return grownMb > MOST_GROWN_MB ? { grownMb, lastMb, problem } : { grownMb, lastMb };
  }
}
