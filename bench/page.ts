import type { Measure, Sample } from './row.ts';

export interface Results {
  readonly instances: number;
  readonly peerInstances: number;
  readonly measures: readonly Measure[];
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export function writePages(_results: Results): void {}
