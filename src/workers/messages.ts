/** The messages between the parent process and its workers. */
import type { Config } from '../config/schema.ts';
import type { ConfigText } from '../config/manager.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { Listing } from '../providers/model-cache.ts';
import type { FleetStatus, FleetNews } from '../server/fleet.ts';

/** What a worker needs to start. */
export interface Begin {
  readonly kind: 'begin';
  /** From 1. */
  readonly worker: number;
  readonly workers: number;
  /** The common name of all workers in the header x-llmproxy-via. */
  readonly instance: string;
  /** Seals the sign-ins of the web page, 32 bytes in base64: a browser's requests may reach any worker. */
  readonly secret: string;
  /**
   * The configuration as the parent read it when the first worker started: its settings for the socket and the log hold
   * until a restart. `undefined` if providers are found in the environment.
   */
  readonly file: ConfigText | undefined;
  /** The configuration in effect, if it is another by now. */
  readonly reloaded: ConfigText | undefined;
  readonly flags: Flags;
}

/** Command-line flags that override the file. */
export interface Flags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly logs: string | undefined;
  readonly logging: LoggingFlags;
}

/** Command-line flags for the output on stderr. */
export type LoggingFlags = Partial<Pick<Config['logging'], 'level' | 'format' | 'show_requests'>>;

export type StateKind = 'status' | 'metrics';

/** The state of one worker, by kind of request. */
export type Report =
  | {
      readonly what: 'status';
      readonly providers: readonly ProviderStatus[];
      readonly inFlight: number;
      readonly log: LogState | null;
    }
  | { readonly what: 'metrics'; readonly families: readonly Family[] };

/** The merged state of all workers. */
export type Answer =
  | { readonly what: 'status'; readonly status: FleetStatus }
  | { readonly what: 'metrics'; readonly families: readonly Family[] };

/** Lists of models, by provider name. */
export interface Models {
  readonly kind: 'models';
  readonly listings: readonly (readonly [string, Listing])[];
}

export type ToWorker =
  | Begin
  | Models
  | { readonly kind: 'reload'; readonly file: ConfigText }
  /** Finish the requests in progress, then exit. */
  | { readonly kind: 'drain'; readonly signal: string }
  /** Abort the requests in progress. */
  | { readonly kind: 'cut'; readonly signal: string }
  | { readonly kind: 'report'; readonly id: number; readonly what: StateKind }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** A message from another worker. */
  | { readonly kind: 'news'; readonly worker: number; readonly news: FleetNews };

export type FromWorker =
  /** The worker is running, and asks how to start. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'listening';
      readonly url: string;
      readonly providers: readonly ProviderStatus[];
      /** The number of models that clients can choose by name. */
      readonly models: number;
    }
  /** Sent by the worker that discovers models. */
  | Models
  /** The worker cannot start, and exits. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly what: StateKind }
  | { readonly kind: 'report'; readonly id: number; readonly report: Report }
  /** For all other workers. */
  | { readonly kind: 'tell'; readonly news: FleetNews };
