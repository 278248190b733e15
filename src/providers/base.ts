import type { Clock } from '../clock.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { OutwardRule } from '../config/schema/redaction.ts';
import type { Price, RateLimit, Timeouts } from '../config/schema.ts';
import type { PrefillStyle } from '../wire/continue.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { JsonObject } from '../wire/json.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import type { Call } from './call.ts';
import type { Services } from './services.ts';
import type { Overrides } from './overrides.ts';
import { overridden } from './overrides.ts';
import { ENDPOINTS, isTranslated } from '../wire/endpoints.ts';
import { mergeQuirks } from '../wire/quirks.ts';

/** A response. The body consists of raw bytes, still compressed if `content-encoding` says so. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The whole body at once, if that is cheaper than reading the stream. @internal */
  readonly arrayBuffer?: () => Promise<ArrayBuffer>;
}

/** A message of a WebSocket: text, or bytes. */
export type SocketMessage = string | Uint8Array;

/** Receives the events of a WebSocket. */
export interface SocketEvents {
  readonly message: (message: SocketMessage) => void;
  /** Called when bytes have arrived, whatever they contain. */
  readonly heard: () => void;
  /** Called when all pending data has been sent. */
  readonly drained: () => void;
  /**
   * Called when the connection is closed.
   * @param code 1006 if the connection was lost, 1005 if no code was given
   * @param flawed whether the provider violated the protocol; the code is ours then
   */
  readonly closed: (code: number, reason: string, flawed: boolean) => void;
}

/** A WebSocket to a provider. */
export interface RealtimeSocket {
  /** Sets the receiver of events; nothing is read before. */
  listen(events: SocketEvents): void;
  /** Sends a message. Nothing is dropped: pending data is counted in `unsent`. */
  send(message: SocketMessage): void;
  /** The number of bytes that wait to be sent. */
  readonly unsent: number;
  ping(): void;
  /** Pauses reading; messages that were already received may still be delivered. */
  pause(): void;
  resume(): void;
  /** Starts the closing handshake, and briefly waits for its answer. */
  close(code: number, reason: string): void;
  terminate(): void;
}

/** A request to open a WebSocket. */
export interface SocketCall extends Pick<Call, 'endpoint' | 'model' | 'key' | 'headers'> {
  /** The largest accepted message, bytes. */
  readonly maxMessage: number;
}

/** A WebSocket, or the response that rejects it. */
export interface SocketReply extends UpstreamReply {
  readonly socket?: RealtimeSocket;
}

/** A request that is passed through to a path below the base URL. */
export interface PassCall {
  readonly method: string;
  /** The segments of the path, percent-encoded; none of them leaves the base URL. */
  readonly segments: readonly string[];
  /** The query without the question mark. */
  readonly query: string;
  /** Headers on the allow list, with lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
}

/** The ways to count tokens. */
export type CountingName = 'messages' | 'gemini' | 'vertex' | 'converse';

/** A call in a form that may be shown. */
export interface Outline {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Call['body'];
}

/** One model of a provider. `name` may be a glob; the upstream name is then the client's. */
export interface ProviderModel {
  readonly name: string;
  readonly upstream?: string;
  /** @internal */
  readonly price?: Price;
  /** Facts that override those of the provider. @internal */
  readonly timeouts?: Timeouts;
  /** The context window, tokens. */
  readonly contextWindow?: number;
  /** The longest answer, tokens. */
  readonly maxOutput?: number;
  /** A limit on this model, in addition to that of the provider. @internal */
  readonly rateLimit?: RateLimit | undefined;
  /** Whether it continues an answer from a given prefix. */
  readonly prefill?: boolean;
}

/** The part of a provider's configuration that routing needs, in the same form for every protocol. */
export interface ProviderSettings {
  readonly name: string;
  readonly type: string;
  readonly models: readonly ProviderModel[];
  readonly priority: number;
  readonly weight: number;
  readonly timeouts: Timeouts;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  /** The limit on all of its models together. */
  readonly rateLimit: RateLimit | undefined;
  readonly maxConnections: number | undefined;
  /** The number of keys used in turn, at least 1. */
  readonly keys: number;
  readonly prefill: PrefillStyle | undefined;
  /** The model to probe health with if there is no free endpoint; its requests cost money. */
  readonly probeModel: string | undefined;
  /** The id in the price table. */
  readonly prices: string | undefined;
  /** Whether requests are processed in one region, which may cost more. */
  readonly isRegional: boolean;
  /** Whether requests to endpoints that the proxy does not know may be passed through to it. */
  readonly passthrough: boolean;
  /** The endpoint families it serves. */
  readonly endpoints: readonly string[];
  /** Deviations from its protocol. */
  readonly quirks: Quirks;
  /** The plugin that its class belongs to; omitted for built-in classes. */
  readonly plugin?: PluginOwner | undefined;
  /** Whether to request the usage of a stream if the client did not; `auto` decides by vendor. */
  readonly askUsage: 'auto' | 'on' | 'off';
  /** Facts about its models from the configuration, which override known ones. @internal */
  readonly overrides?: readonly Overrides[];
  /** What is redacted in every request to it. @internal */
  readonly redact?: OutwardRule | undefined;
  /** The context window of its models unless a model has its own, tokens. @internal */
  readonly contextWindow?: number | undefined;
}

/** The plugin that a provider belongs to. */
export interface PluginOwner {
  readonly name: string;
  /** Called with errors thrown by its code. @param what the failed operation: "Cannot get an answer from acme" */
  readonly failed: (what: string, thrown: unknown) => void;
}

/** The largest number of models whose quirks are cached; clients may name any. */
const MAX_QUIRKS = 500;

/**
 * A deployment: where a provider is and how it is called. Subclasses implement `send`; which provider is called, and
 * how often, is decided by the router. Nothing here retries.
 *
 * The class of a plugin also has a `static type`, the value of `type` in config.yaml, and may have `static options`, a
 * zod schema, and `static endpoints`, the families that it serves (`['chat']` by default).
 */
export abstract class BaseProvider<Options = unknown> {
  protected readonly services: Services<Options>;
  /** @internal */
  readonly settings: ProviderSettings;
  readonly #quirks = new Map<string, Quirks>();

  constructor(services: Services<Options>) {
    this.services = services;
    this.settings = services.settings;
  }

  /** Its name in the configuration. */
  get name(): string {
    return this.settings.name;
  }

  /** Its `options` in the configuration, as parsed by its schema. */
  protected get options(): Options {
    return this.services.options;
  }

  /** The environment variables. */
  protected get env(): Readonly<Record<string, string | undefined>> {
    return this.services.env;
  }

  /** The clock, which tests may replace. */
  protected get clock(): Clock {
    return this.services.clock;
  }

  /** The key for a call; empty if the configuration has none. */
  protected key({ key }: { readonly key: number }): string {
    return this.services.keys[key] ?? '';
  }

  /** Writes a message for the operator to stderr. */
  protected log(message: string): void {
    this.services.log(message);
  }

  /**
   * The platform's fetch, on a connection pool of this provider. It has no timeout apart from the signal, and follows
   * no redirects, which would carry keys elsewhere.
   */
  protected fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    return this.services.fetch(new URL(url), { redirect: 'manual', timeout: false, ...init });
  }

  /**
   * The protocol of a chat with this model: OpenAI's chat unless a subclass overrides it.
   * @param _request the request in the form of OpenAI's chat, for providers whose protocol depends on it
   */
  protocol(_model: string, _request?: JsonObject): ProtocolName {
    return 'chat';
  }

  /**
   * Whether it implements the API of this endpoint, so that bytes are passed unchanged. Other requests are translated
   * if possible.
   * @param _request the client's request, for providers whose answer depends on it
   */
  relays(endpoint: Endpoint, model: string, _request?: JsonObject): boolean {
    return endpoint === this.protocol(model);
  }

  /** The protocol of embeddings, if it is not OpenAI's. */
  embeddings(_model: string): EmbeddingProtocolName | undefined {
    return undefined;
  }

  /** The protocol of token counting, if it can count tokens. */
  counts(_model: string): CountingName | undefined {
    return undefined;
  }

  /** Whether it can answer at this endpoint, in its own protocol or by translation. */
  serves(endpoint: Endpoint, model: string): boolean {
    if (!this.settings.endpoints.includes(ENDPOINTS[endpoint].family)) return false;
    return isTranslated(endpoint) || this.relays(endpoint, model);
  }

  /** The deviations of this model from its protocol: the same object each time. */
  quirks(model: string): Quirks {
    let quirks = this.#quirks.get(model);
    if (!quirks) {
      if (this.#quirks.size >= MAX_QUIRKS) this.#quirks.clear();
      this.#quirks.set(model, (quirks = this.#quirksOf(model)));
    }
    return quirks;
  }

  #quirksOf(model: string): Quirks {
    const covering = (this.settings.overrides ?? []).filter(({ covers }) => covers(model));
    const like = covering.findLast((each) => each.like !== undefined)?.like;
    const { models, ...vendor } = this.settings.quirks;
    const row = models?.find(({ match }) => match.test(like ?? model));
    let quirks = row ? mergeQuirks(vendor, row.quirks) : vendor;
    if (like !== undefined) quirks = { ...quirks, like };
    for (const { request, abilities } of covering) {
      if (abilities) quirks = mergeQuirks(quirks, { abilities });
      if (request) quirks = overridden(quirks, request);
    }
    return quirks;
  }

  /**
   * Sends one request and resolves as soon as the response's headers have arrived, with any status.
   * @throws ProxyError with fault `network` or `stale_connection` when there was no response; the signal's reason
   * when it is aborted
   */
  abstract send(call: Call, signal: AbortSignal): Promise<UpstreamReply>;

  /**
   * Opens a session of its realtime API, if it serves one.
   * @throws as `send` does @internal
   */
  connect(_call: SocketCall, _signal: AbortSignal): Promise<SocketReply> {
    throw new Error(`Cannot open a session with ${this.name}: it has no realtime API`);
  }

  /**
   * Whether requests to unknown endpoints are passed through to it: the configuration allows it, and it has an address.
   * @internal
   */
  get passes(): boolean {
    return false;
  }

  /**
   * Passes a request through with its own credentials. Only if `passes` returns true, or to its stored responses.
   * @throws as `send` does @internal
   */
  pass(_call: PassCall, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot pass a request on to ${this.name}: it has no address`);
  }

  /**
   * The path below its address at which the responses it stored can be read; it may have a query. Omitted if it stores
   * none. @internal
   */
  get storedResponses(): string | undefined {
    return undefined;
  }

  /** The same for interactions of Gemini's API. @internal */
  get storedInteractions(): string | undefined {
    return undefined;
  }

  /** The name of a model within the messages of its realtime API. @internal */
  liveModel(model: string): string {
    return model;
  }

  /** The URL and headers of a call, with credentials masked; `undefined` if it makes no HTTP request. @internal */
  outline(_call: Call): Outline | undefined {
    return undefined;
  }

  /** Whether it has a free endpoint that shows whether the service is up. @internal */
  get probes(): boolean {
    return false;
  }

  /** Calls that endpoint with one of the keys. Only if `probes` returns true. @internal */
  probe(_key: number, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot probe ${this.name}: it has no free endpoint`);
  }

  /** The paths of its lists of models; empty if it has none. @internal */
  get modelLists(): readonly URL[] {
    return [];
  }

  /** Requests a page of such a list with one of the keys. Only if `modelLists` is not empty. @internal */
  list(_url: URL, _key: number, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot list models of ${this.name}: it has no list`);
  }

  /** Whether a connection can be opened within `ms`; also `true` if it responded recently. @internal */
  reachable(_ms: number): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Closes idle connections. Requests in progress are completed. */
  close(): void {
    this.services.transport.release();
  }
}
