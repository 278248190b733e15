import type { SharedState } from '../limits/replicas/replica-ledger.ts';
import type { Clock } from '../clock.ts';
import type { Turns } from '../turns.ts';
import type { Config } from '../config/schema.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { StoredAccount } from '../limits/accounts.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Exchange } from '../pipeline/record/exchange.ts';
import type { Metrics } from '../pipeline/metrics/metrics.ts';
import type { ModelRegistry } from '../pipeline/routing/models.ts';
import type { Passthrough } from '../pipeline/passthrough/passthrough.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { RunningRequests } from '../pipeline/record/running.ts';
import type { Realtime } from '../pipeline/realtime/realtime.ts';
import type { StreamBudget } from '../pipeline/streams/stream-budget.ts';
import type { HealthSummary, ProviderStatus } from '../pipeline/targets/status.ts';
import type { Hooks } from '../plugins/hooks.ts';
import type { PriceSetup } from '../usage/pricing.ts';
import type { UsageReader } from '../usage/reader.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Authenticator } from './auth.ts';
import type { Inference } from './inference.ts';
import type { IssuedResponses } from './responses/issued.ts';
import type { StoredService } from './responses/service.ts';
import type { Buffered } from './buffered.ts';
import type { Fleet } from './fleet.ts';
import type { Page } from './page/page.ts';

/** The usage of keys. */
export interface Spent {
  accountOf(key: string): StoredAccount;
}

/** The dependencies of the routes. */
export interface ServerContext {
  readonly server: Config['server'];
  readonly limits: Config['limits'];
  readonly logging: Config['logging']['requests'];
  readonly clock: Clock;
  /** Decides when long work yields to the event loop. */
  readonly turns: Turns;
  readonly auth: Authenticator;
  readonly limiter: Limiter;
  readonly spending: Spent;
  readonly registry: ModelRegistry;
  /** Memory of request bodies. */
  readonly buffered: Buffered;
  /** Memory of answers whose clients read slowly. */
  readonly unread: StreamBudget;
  /** The name of this proxy in the header x-llmproxy-via. */
  readonly instance: string;
  readonly pipeline: Pipeline;
  readonly realtime: Realtime;
  readonly passthrough: Passthrough;
  /** Persistent connections with several requests, to be closed when the proxy stops. */
  readonly sockets: Set<{ drain(): void }>;
  /** The current configuration, for sessions and queued work that began under an earlier one. */
  readonly now: () => ServerContext;
  /** Answers requests of the Responses API with the current configuration. */
  readonly responses: () => Inference;
  /** Stored responses and conversations; omitted if nothing is stored. */
  readonly stored: StoredService | undefined;
  /** Which providers have stored which responses. */
  readonly issued: IssuedResponses;
  /** The hooks of plugins; omitted if there are none. */
  readonly hooks: Hooks | undefined;
  /** Begins the single record of a request. */
  readonly begin: (id: string, endpoint: Recorded, userAgent: string | null, headers: HeaderMap) => Exchange;
  /**
   * Counts a request that has begun towards `limits.max_concurrent`.
   * @param task for the error, by default to accept the request
   * @throws ProxyError `unavailable` when there are too many
   */
  readonly admit: (exchange: Exchange, task?: string) => void;
  readonly newId: () => string;
  readonly metrics: Metrics;
  /** Resolves when data that is loaded after the start is available; `undefined` afterwards. */
  readonly ready: () => Promise<void> | undefined;
  readonly providers: () => readonly ProviderStatus[];
  readonly summary: () => HealthSummary;
  /** The state of the request log; null if there is none. */
  readonly log: () => LogState | null;
  /** The state of the server through which replicas share limits; `undefined` if there is none. */
  readonly sharedLimits: () => SharedState | undefined;
  /** The same for stored responses. */
  readonly sharedResponses: () => { readonly up: boolean } | undefined;
  /** The processes that serve the same port, including this one; `undefined` if it serves alone. */
  readonly fleet: Fleet | undefined;
  /** The location of the request log. */
  readonly logDirectory: string;
  /** Makes usage reports from the request log. */
  readonly usage: UsageReader;
  /** The settings that determine prices. */
  readonly priceSetup: () => PriceSetup;
  /** The whole configuration, for those who may see it masked. */
  readonly config: Config;
  /** The data of the web page. */
  readonly page: Page;
  /** Functions that abort the requests in progress, with the known facts about each, in order of arrival. */
  readonly running: RunningRequests;
  /** The number of requests in progress, including this one. */
  readonly inFlight: () => number;
  /** Whether the proxy is about to stop. It still answers requests for a moment. */
  readonly draining: () => boolean;
  /** Whether new requests are refused. */
  readonly refusing: () => boolean;
  readonly version: string;
  /** Redacts a text. */
  readonly mask: (text: string) => string;
  /** Reports a problem to the operator that no caller can fix. */
  readonly problem: (message: string) => void;
}

/** The server's end of a WebSocket. */
export interface ServerSocket {
  /** @returns -1 if it waits for the client, 0 if it was dropped */
  send(message: string | Uint8Array): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** Receives the events of one WebSocket. */
export interface SocketHandler {
  opened(socket: ServerSocket): void;
  message(message: string | Uint8Array): void;
  /** Called when the client has received what waited. */
  drained(): void;
  /** @param code 1006 if the connection was lost */
  closed(code: number, reason: string): void;
}

/** The server object that Bun.serve passes to each request. */
export interface ServerBindings {
  readonly server?: {
    timeout(request: Request, seconds: number): void;
    requestIP(request: Request): { readonly address: string } | null;
    /** Upgrades a connection to a WebSocket. @returns whether it succeeded */
    upgrade?(request: Request, options: { data: SocketHandler; headers?: Record<string, string> }): boolean;
  };
}

export interface ServerEnv {
  Bindings: ServerBindings;
}
