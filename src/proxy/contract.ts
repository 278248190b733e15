import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ProxyEvent, Trouble } from '../events.ts';
import type { Limits } from '../limits/limits.ts';
import type { LogRecord } from '../logs/record.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Family } from '../pipeline/metrics/prometheus.ts';
import type { RecordSink } from '../pipeline/streams/sinks.ts';
import type { ProviderStatus } from '../pipeline/targets/status.ts';
import type { Plugins } from '../plugins/loaded.ts';
import type { Listings } from '../providers/model-cache.ts';
import type { Connect, Dial } from '../providers/transport.ts';
import type { ServerBindings } from '../server/context.ts';
import type { Fleet } from '../server/fleet.ts';
import type { App } from '../server/listen.ts';
import type { Turns } from '../turns.ts';

/** The dependencies of a proxy on its surroundings. */
export interface ProxyDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** A random number, uniform in [0, 1). */
  readonly random?: () => number;
  /** Creates a fetch function with a connection pool of its own. */
  readonly connect?: Connect;
  /** Opens a TCP connection, to check whether that is possible. */
  readonly dial?: Dial;
  /** Decides when long work yields to the event loop. */
  readonly turns?: Turns;
  /** Counts tokens; in a thread of its own by default. */
  readonly countTokens?: (texts: readonly string[], signal: AbortSignal) => Promise<number>;
  /** Called with problems that do not belong to a request, such as a log that cannot be written. */
  readonly onProblem?: (message: string, of: Trouble) => void;
  /** Called with changes of state: breakers, keys, providers. */
  readonly onEvent?: (event: ProxyEvent) => void;
  /** Called with each record, in addition to storing it. @param mask redacts what is derived from the record */
  readonly onRecord?: (record: LogRecord, mask: (text: string) => string) => void;
  /** Further sinks of records. */
  readonly sinks?: readonly RecordSink[];
  /** Seals the sign-ins of the web page, 32 bytes; random by default. */
  readonly secret?: Uint8Array;
  /** The name of this proxy in the header x-llmproxy-via; random by default. */
  readonly instance?: string;
  /** The number of this process among those that serve the port, from 1; omitted if it serves alone. */
  readonly worker?: number;
  /** How many processes serve the port. */
  readonly workers?: number;
  /** The state shared by the processes that serve the port. */
  readonly limits?: Limits;
  readonly fleet?: Fleet;
  /**
   * Whether usage is persisted in `state.directory`, by this process or together with other workers; in memory only by
   * default.
   */
  readonly keepsUsage?: boolean;
  /** The plugins of the initial configuration. */
  readonly plugins?: Plugins;
  /** How models are discovered; not at all by default. */
  readonly discovery?: {
    /** Whether this process asks the providers; the others receive the lists from it. */
    readonly asks: boolean;
    /** Called with all lists when one of them changes. */
    readonly listed?: (listings: Listings) => void;
  };
}

/** A proxy without a socket: `listen` adds one. */
export interface Proxy {
  readonly fetch: (request: Request, bindings: ServerBindings) => Response | Promise<Response>;
  readonly upgrade: NonNullable<App['upgrade']>;
  /** The largest message of a WebSocket, bytes. */
  readonly maxMessage: number;
  readonly providers: () => readonly ProviderStatus[];
  readonly metrics: () => Family[];
  /** The number of requests in progress. */
  readonly inFlight: () => number;
  /** The state of the request log; null if there is none. */
  readonly log: () => LogState | null;
  /**
   * Accounts for requests that the previous process did not, if it ended without warning, and connects to the server
   * that shares limits. Must be awaited before the proxy listens.
   */
  recover(): Promise<void>;
  /** The number of models that clients can choose by name. */
  readonly modelCount: () => number;
  /** Adopts the lists of models that another process received. */
  takeModels(listings: Listings): void;
  /** Loads data that is not needed to listen: the table of prices. */
  warm(): Promise<void>;
  /**
   * Applies another configuration at once. Requests in progress keep the one they began with; health and breakers are
   * kept.
   * @param plugins those that it names @returns the changed keys that need a restart
   * @throws as the constructor of a plugin's class does; the previous configuration stays in effect then
   */
  reload(config: Config, plugins?: Plugins): string[];
  /** From now on, /health/ready reports that the proxy stops, and answers ask clients to close their connections. */
  drain(): void;
  /** Refuses requests from now on. */
  refuse(): void;
  /** Aborts the requests in progress: streams with an error event, the others with an error. */
  cut(): void;
  /** Flushes the log and closes all connections. */
  close(): Promise<void>;
}
