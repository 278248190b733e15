import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/prometheus.ts';
import type { ProviderStatus } from '../pipeline/status.ts';
import type { RequestRow, RunningRow } from '../web/api.ts';

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
  /** Tells all others something. */
  tell(told: Told): void;
  /** @param listener told what others tell, and the number of the one that does */
  hear(listener: (told: Told, worker: number) => void): void;
}

/** What processes tell each other so that the page shows what all of them do, whichever it is connected to. */
export type Told =
  /** Somebody looks at live requests; said again as long as that is so. */
  | { readonly kind: 'look' }
  /** Requests that have ended, for whoever looks. */
  | {
      readonly kind: 'rows';
      readonly rows: readonly RequestRow[];
      readonly skipped: number;
      readonly inFlight: number;
      /** Those that have taken longest. */
      readonly running: readonly RunningRow[];
    }
  /** A sign-in that works no longer. */
  | { readonly kind: 'signed_out'; readonly id: string; readonly until: number };
