import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/prometheus.ts';
import type { ProviderStatus } from '../pipeline/status.ts';

/** Which of several processes a page speaks for. Numbers begin at 1. */
export interface Workers {
  readonly total: number;
  /** Those that did not answer in time: they are starting, or too busy. */
  readonly missing: readonly number[];
}

/** What is known by all processes together. */
export interface FleetStatus {
  readonly workers: Workers;
  readonly providers: readonly ProviderStatus[];
  readonly inFlight: number;
  /** How the request log of all of them is; null where there is none. */
  readonly log: LogState | null;
}

/** The processes that serve one port, asked as one. */
export interface Fleet {
  /** @throws ProxyError `unavailable` when nobody can tell */
  status(): Promise<FleetStatus>;
  /** @throws as above */
  metrics(): Promise<readonly Family[]>;
}
