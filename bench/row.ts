import type { CpuMeter } from './cpu.ts';
import type { Instance, Subject } from './subjects.ts';

/** How thorough a run is. */
export interface Effort {
  /** The share of the requests that warming up takes at the full effort. */
  readonly share: number;
  /** How long it takes at least. */
  readonly leastWarmMs: number;
  /** An instance that is not steady after so long is measured as it is. */
  readonly warmMs: number;
  readonly windowMs: number;
  readonly windows: number;
}

/** What one instance was seen to need, by the measure's name. */
export type Sample = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  /** Heading of its table. */
  readonly title: string;
  readonly unit: string;
  /** The subject that the others are divided by, in the same round. */
  readonly base: string;
  /** Whether the README quotes it. */
  readonly quoted?: boolean;
}

export interface Run {
  readonly subject: Subject;
  readonly instance: Instance;
  readonly cpu: CpuMeter;
  /** URL of the provider. */
  readonly upstream: string;
  readonly effort: Effort;
  /** Takes a line for whoever waits for the run. */
  readonly tell: (line: string) => void;
}

/** Something that is measured of an instance. */
export interface Row {
  readonly name: string;
  /** Whether it is about what keys and limits cost. */
  readonly limited?: boolean;
  readonly measures: readonly Measure[];
  readonly applies: (subject: Subject) => boolean;
  readonly sample: (run: Run) => Promise<Sample>;
  /** Set where it needs a process that has done nothing before: how many of these at most. */
  readonly alone?: number;
}
