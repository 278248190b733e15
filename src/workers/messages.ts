/** What the parent of several workers and these tell each other. */
import type { Config } from '../config/schema.ts';
import type { ConfigText } from '../config/manager.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/prometheus.ts';
import type { ProviderStatus } from '../pipeline/status.ts';
import type { Listing } from '../providers/model-cache.ts';
import type { FleetStatus, Told } from '../server/fleet.ts';

/** What a worker needs to begin. */
export interface Begin {
  readonly kind: 'begin';
  /** From 1. */
  readonly worker: number;
  readonly workers: number;
  /** What all of them are called in the header x-llmproxy-via. */
  readonly instance: string;
  /** Seals the sign-ins of the page, 32 bytes in base64: a browser's requests go to any of them. */
  readonly secret: string;
  /**
   * The configuration as the parent read it when the first worker began: its socket and its log are those of all until a restart. `undefined` where
   * providers are found in the environment.
   */
  readonly file: ConfigText | undefined;
  /** What was taken over since, where that is another. */
  readonly reloaded: ConfigText | undefined;
  readonly flags: Flags;
}

/** Flags that go before the file. */
export interface Flags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly logs: string | undefined;
  readonly logging: LoggingFlags;
}

/** What flags say of the lines on stderr. */
export type LoggingFlags = Partial<Pick<Config['logging'], 'level' | 'format' | 'show_requests'>>;

export type What = 'status' | 'metrics';

/** What one worker knows, by what was asked. */
export type Report =
  | {
      readonly what: 'status';
      readonly providers: readonly ProviderStatus[];
      readonly inFlight: number;
      readonly log: LogState | null;
    }
  | { readonly what: 'metrics'; readonly families: readonly Family[] };

/** What all of them know together. */
export type Answer =
  | { readonly what: 'status'; readonly status: FleetStatus }
  | { readonly what: 'metrics'; readonly families: readonly Family[] };

/** Lists of models, by the names of their providers. */
export interface Models {
  readonly kind: 'models';
  readonly listings: readonly (readonly [string, Listing])[];
}

export type ToWorker =
  | Begin
  | Models
  | { readonly kind: 'reload'; readonly file: ConfigText }
  /** Finish what runs, then end. */
  | { readonly kind: 'drain'; readonly signal: string }
  /** End what still runs. */
  | { readonly kind: 'cut'; readonly signal: string }
  | { readonly kind: 'report'; readonly id: number; readonly what: What }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** What another worker tells. */
  | { readonly kind: 'told'; readonly worker: number; readonly told: Told };

export type FromWorker =
  /** It is there, and wants to be told how to begin. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'listening';
      readonly url: string;
      readonly providers: readonly ProviderStatus[];
      /** How many models clients can choose among. */
      readonly models: number;
    }
  /** Of the one that asks for them. */
  | Models
  /** It cannot begin, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly what: What }
  | { readonly kind: 'report'; readonly id: number; readonly report: Report }
  /** For all others. */
  | { readonly kind: 'tell'; readonly told: Told };
