import type { CpuMeter } from './cpu.ts';
import type { Instance, Subject } from './subjects.ts';

/** How thoroughly to measure. */
export interface Effort {
  /** The share of the requests that a full warm-up would send. */
  readonly share: number;
  /** The minimum duration of the warm-up. */
  readonly leastWarmMs: number;
  /** An instance that is not steady after this time is measured anyway. */
  readonly warmMs: number;
  readonly windowMs: number;
  readonly windows: number;
}

/** The measurements of one instance, by the name of the measure. */
export type Sample = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  /** The heading of its table. */
  readonly title: string;
  readonly unit: string;
  /** The subject that the others are divided by, in the same round. */
  readonly base: string;
  /** Whether the README shows it. */
  readonly quoted?: boolean;
}

export interface Run {
  readonly subject: Subject;
  readonly instance: Instance;
  readonly cpu: CpuMeter;
  /** The URL of the provider. */
  readonly upstream: string;
  readonly effort: Effort;
  /** Prints a line of progress. */
  readonly tell: (line: string) => void;
}

/** A row: what is measured on an instance. */
export interface Row {
  readonly name: string;
  /** Whether it measures the cost of keys and limits. */
  readonly limited?: boolean;
  readonly measures: readonly Measure[];
  readonly applies: (subject: Subject) => boolean;
  readonly sample: (run: Run) => Promise<Sample>;
  /** Set if it needs a process that has done nothing before: the maximum number of such processes. */
  readonly alone?: number;
}
