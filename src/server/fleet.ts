import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { RequestRow, RunningRow } from '../web/api.ts';

/** The processes that a page covers, numbered from 1. */
export interface Workers {
  readonly total: number;
  /** Those that did not answer in time: they are starting, or too busy. */
  readonly missing: readonly number[];
}

/** The merged state of all processes. */
export interface FleetStatus {
  readonly workers: Workers;
  readonly providers: readonly ProviderStatus[];
  readonly inFlight: number;
  /** The merged state of their request logs; null if there are none. */
  readonly log: LogState | null;
}

/** The processes that serve one port, queried as one. */
export interface Fleet {
  /** @throws ProxyError `unavailable` when the state cannot be collected */
  status(): Promise<FleetStatus>;
  /** @throws as above */
  metrics(): Promise<readonly Family[]>;
  /** Sends a message to all others. */
  publish(news: FleetNews): void;
  /** @param listener called with messages of the others, and the number of the sender */
  subscribe(listener: (news: FleetNews, worker: number) => void): void;
}

/** The messages between processes by which the page shows all of them, whichever one it is connected to. */
export type FleetNews =
  /** Live requests are being watched; repeated as long as that is so. */
  | { readonly kind: 'look' }
  /** Finished requests, for watchers. */
  | {
      readonly kind: 'rows';
      readonly rows: readonly RequestRow[];
      readonly skipped: number;
      readonly inFlight: number;
      /** The longest-running requests. */
      readonly running: readonly RunningRow[];
    }
  /** A sign-in that is no longer valid. */
  | { readonly kind: 'signed_out'; readonly id: string; readonly until: number };
