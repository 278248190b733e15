import type { CpuMeter } from './cpu.ts';
import type { Instance, Subject } from './subjects.ts';

/** How thorough a run is. */
export interface Effort {
  readonly leastRequests: number;
  readonly warmMs: number;
  readonly windowMs: number;
  readonly windows: number;
}

/** What one instance of a subject was seen to need, by the measure's name. */
export type Sample = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  /** Heading of its table. */
  readonly title: string;
  readonly unit: string;
  /** What it is divided by: the subject of this name, in the same round. */
  readonly base: string;
}

export interface Run {
  readonly subject: Subject;
  readonly instance: Instance;
  readonly cpu: CpuMeter;
  readonly effort: Effort;
}

/** Something that is measured of an instance. */
export interface Row {
  readonly name: string;
  readonly measures: readonly Measure[];
  readonly applies: (subject: Subject) => boolean;
  readonly sample: (run: Run) => Promise<Sample>;
}
