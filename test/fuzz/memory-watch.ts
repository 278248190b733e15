import type { Stage } from './stage.ts';

/** Between two looks at the memory, milliseconds. */
export const LOOK_MS = 1_000;

/** What the collector may still owe, MB. */
const MOST_GROWN_MB = 128;

/** Memory of both proxies together. */
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

  /** The least of the last quarter beside the least of the second one: the first warms up, and the collector swings. */
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
