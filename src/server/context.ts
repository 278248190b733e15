import type { SharedState } from '../limits/replicas/replica-ledger.ts';
import type { Clock } from '../clock.ts';
import type { Turns } from '../turns.ts';
import type { Config } from '../config/schema.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { StoredAccount } from '../limits/accounts.ts';
import type { LogState } from '../logs/trouble.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Metrics } from '../pipeline/metrics.ts';
import type { ModelRegistry } from '../pipeline/models.ts';
import type { Passthrough } from '../pipeline/passthrough.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { RunningRequests } from '../pipeline/running.ts';
import type { Realtime } from '../pipeline/realtime/realtime.ts';
import type { StreamBudget } from '../pipeline/stream-budget.ts';
import type { HealthSummary, ProviderStatus } from '../pipeline/status.ts';
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

/** What keys have used. */
export interface Spent {
  accountOf(key: string): StoredAccount;
}

/** What the routes are given. */
export interface ServerContext {
  readonly server: Config['server'];
  readonly limits: Config['limits'];
  readonly logging: Config['logging']['requests'];
  readonly clock: Clock;
  /** When long work pauses for others. */
  readonly turns: Turns;
  readonly auth: Authenticator;
  readonly limiter: Limiter;
  readonly spending: Spent;
  readonly registry: ModelRegistry;
  /** Request bodies in memory. */
  readonly buffered: Buffered;
  /** Answers in memory whose clients read slowly. */
  readonly unread: StreamBudget;
  /** This proxy, as it tells itself from others in the header x-llmproxy-via. */
  readonly instance: string;
  readonly pipeline: Pipeline;
  readonly realtime: Realtime;
  readonly passthrough: Passthrough;
  /** Connections that requests come over one after another, to be closed when the proxy stops. */
  readonly sockets: Set<{ drain(): void }>;
  /** How a request of the Responses API is answered by the configuration that is in force now. */
  readonly responses: () => Inference;
  /** Stored responses and conversations; left out where nothing is stored. */
  readonly stored: StoredService | undefined;
  /** Which providers have stored which responses. */
  readonly issued: IssuedResponses;
  /** What plugins do with requests; left out where none has hooks. */
  readonly hooks: Hooks | undefined;
  /** Begins the one record of a request. */
  readonly begin: (id: string, endpoint: Recorded, userAgent: string | null, headers: HeaderMap) => Exchange;
  /** Whether a request that has begun may go on: `limits.max_concurrent`. */
  readonly admit: (exchange: Exchange) => boolean;
  readonly newId: () => string;
  readonly metrics: Metrics;
  /** Resolves when what is loaded after start-up is there; `undefined` once it is. */
  readonly ready: () => Promise<void> | undefined;
  readonly providers: () => readonly ProviderStatus[];
  readonly summary: () => HealthSummary;
  /** How the request log is; null where there is none. */
  readonly log: () => LogState | null;
  /** How the server is by which replicas share limits; `undefined` where there is none. */
  readonly sharedLimits: () => SharedState | undefined;
  /** Those that serve the same port, this process included; `undefined` where it serves alone. */
  readonly fleet: Fleet | undefined;
  /** Where the request log is. */
  readonly logDirectory: string;
  /** What the request log says was used. */
  readonly usage: UsageReader;
  /** What prices go by. */
  readonly priceSetup: () => PriceSetup;
  /** All of the configuration, for those who may see it masked. */
  readonly config: Config;
  /** What those see who look at the page. */
  readonly page: Page;
  /** What ends the requests in flight, each with what is known of it, in the order in which they came. */
  readonly running: RunningRequests;
  /** Requests whose answer has not ended, this one included. */
  readonly inFlight: () => number;
  readonly draining: () => boolean;
  readonly version: string;
  /** Takes secrets out of a text. */
  readonly mask: (text: string) => string;
  /** Tells the operator of a trouble that no caller can mend. */
  readonly problem: (message: string) => void;
}

/** The server's end of a WebSocket. */
export interface ServerSocket {
  /** @returns -1 where it waits for the client, 0 where it was dropped */
  send(message: string | Uint8Array): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** What is told of all that happens at one WebSocket. */
export interface SocketHandler {
  opened(socket: ServerSocket): void;
  message(message: string | Uint8Array): void;
  /** The client has taken what waited. */
  drained(): void;
  /** @param code 1006 where it went without a word */
  closed(code: number, reason: string): void;
}

/** What Bun.serve hands to each request. */
export interface ServerBindings {
  readonly server?: {
    timeout(request: Request, seconds: number): void;
    requestIP(request: Request): { readonly address: string } | null;
    /** Makes a connection a WebSocket. @returns whether it is one now */
    upgrade?(request: Request, options: { data: SocketHandler; headers?: Record<string, string> }): boolean;
  };
}

export interface ServerEnv {
  Bindings: ServerBindings;
}
