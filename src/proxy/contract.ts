import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ProxyEvent, Trouble } from '../events.ts';
import type { Limits } from '../limits/limits.ts';
import type { LogRecord } from '../logs/record.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/prometheus.ts';
import type { RecordSink } from '../pipeline/sinks.ts';
import type { ProviderStatus } from '../pipeline/status.ts';
import type { Plugins } from '../plugins/loaded.ts';
import type { Listings } from '../providers/model-cache.ts';
import type { Connect, Dial } from '../providers/transport.ts';
import type { ServerBindings } from '../server/context.ts';
import type { Fleet } from '../server/fleet.ts';
import type { App } from '../server/listen.ts';
import type { Turns } from '../turns.ts';

/** What a proxy is given of the world around it. */
export interface ProxyDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** Makes a fetch with a connection pool of its own. */
  readonly connect?: Connect;
  /** Opens a bare connection, to see whether one can be opened. */
  readonly dial?: Dial;
  /** When long work pauses for others. */
  readonly turns?: Turns;
  /** Counts tokens; in a thread of its own when it is not given. */
  readonly countTokens?: (texts: readonly string[], signal: AbortSignal) => Promise<number>;
  /** Told of troubles that are nobody's request: a log that cannot be written. */
  readonly onProblem?: (message: string, of: Trouble) => void;
  /** Told of changes of state: breakers, keys, providers. */
  readonly onEvent?: (event: ProxyEvent) => void;
  /** Told of each record, beside where it is kept. @param mask takes secrets out of what is made of it */
  readonly onRecord?: (record: LogRecord, mask: (text: string) => string) => void;
  /** Further sinks of records. */
  readonly sinks?: readonly RecordSink[];
  /** Seals the sign-ins of the page, 32 bytes; chosen here when it is not given. */
  readonly secret?: Uint8Array;
  /** What this one is called in the header x-llmproxy-via; chosen here when it is not given. */
  readonly instance?: string;
  /** Which of the processes that serve the same port this is, from 1; it serves alone when it is not given. */
  readonly worker?: number;
  /** How many processes serve the same port. */
  readonly workers?: number;
  /** What processes that serve the same port share. */
  readonly limits?: Limits;
  readonly fleet?: Fleet;
  /** Whether what callers use is kept in `state.directory`, by this process or together with other workers; in memory alone when it is not given. */
  readonly keepsUsage?: boolean;
  /** The plugins of the first configuration. */
  readonly plugins?: Plugins;
  /** How models are discovered; not at all when it is not given. */
  readonly discovery?: {
    /** Whether this process asks the providers; others are told by it. */
    readonly asks: boolean;
    /** Told of all lists when one is new. */
    readonly listed?: (listings: Listings) => void;
  };
}

/** A proxy without a socket: `listen` gives it one. */
export interface Proxy {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
  readonly upgrade: NonNullable<App['upgrade']>;
  /** Largest message of a WebSocket, bytes. */
  readonly maxMessage: number;
  readonly providers: () => readonly ProviderStatus[];
  readonly metrics: () => Family[];
  /** Requests whose answer has not ended. */
  readonly inFlight: () => number;
  /** How the request log is; null where there is none. */
  readonly log: () => LogState | null;
  /**
   * Counts what the process before had not yet counted, where it ended without warning, and reaches the server that shares limits. To be
   * awaited before it listens.
   */
  recover(): Promise<void>;
  /** How many models clients can choose among by name. */
  readonly modelCount: () => number;
  /** Takes over the lists of models that another process was given. */
  takeModels(listings: Listings): void;
  /** Loads what is not needed to listen: the table of prices. */
  warm(): Promise<void>;
  /**
   * Takes over another configuration at once. Requests in flight keep the one they began with; health and
   * breakers survive. @param plugins those that it names @returns the keys that changed but need a restart
   * @throws what the constructor of a plugin's class throws; then the last one stays
   */
  reload(config: Config, plugins?: Plugins): string[];
  /** From now on new requests are refused and /health/ready says so. */
  drain(): void;
  /** Ends the requests in flight: streams with an error event, the others with an error. */
  cut(): void;
  /** Writes out the log and lets go of all connections. */
  close(): Promise<void>;
}
