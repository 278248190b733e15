import type { Clock } from '../clock.ts';
import type { Endpoint } from '../wire/endpoints.ts';
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

/** What came back. The body is raw bytes, still compressed when `content-encoding` says so. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The whole body at once, where there is a cheaper way to it than the stream. @internal */
  readonly arrayBuffer?: () => Promise<ArrayBuffer>;
}

/** A message of a WebSocket: text, or bytes. */
export type SocketMessage = string | Uint8Array;

/** What happens at a WebSocket. */
export interface SocketEvents {
  readonly message: (message: SocketMessage) => void;
  /** Bytes came, whatever they are. */
  readonly heard: () => void;
  /** What was sent is on its way. */
  readonly drained: () => void;
  /**
   * It is over.
   * @param code 1006 where the connection ended without a word, 1005 where no code was given
   * @param flawed whether the provider broke the protocol; then the code is ours
   */
  readonly closed: (code: number, reason: string, flawed: boolean) => void;
}

/** A WebSocket to a provider. */
export interface RealtimeSocket {
  /** Tells what happens from now on; nothing is read before. */
  listen(events: SocketEvents): void;
  /** Nothing that is sent is dropped: what waits is counted in `unsent`. */
  send(message: SocketMessage): void;
  /** Bytes that wait to be sent. */
  readonly unsent: number;
  ping(): void;
  /** Reads nothing more for now; messages of what was read already may still come. */
  pause(): void;
  resume(): void;
  /** Says goodbye, and waits a moment for the answer. */
  close(code: number, reason: string): void;
  terminate(): void;
}

/** What a provider is asked that a WebSocket is opened to. */
export interface SocketCall extends Pick<Call, 'endpoint' | 'model' | 'key' | 'headers'> {
  /** Largest message that is taken, bytes. */
  readonly maxMessage: number;
}

/** A WebSocket, or the answer that refuses one. */
export interface SocketReply extends UpstreamReply {
  readonly socket?: RealtimeSocket;
}

/** What is passed on as it came, to a path below the base URL. */
export interface PassCall {
  readonly method: string;
  /** Segments of the path, encoded; none leads out of the base URL. */
  readonly segments: readonly string[];
  /** Without the question mark. */
  readonly query: string;
  /** By allow list; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
}

/** Ways to have tokens counted. */
export type CountingName = 'messages' | 'gemini' | 'vertex' | 'converse';

/** A call as it may be shown. */
export interface Outline {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Call['body'];
}

/** One model of a provider: `name` may be a glob, then the client's name is the upstream name. */
export interface ProviderModel {
  readonly name: string;
  readonly upstream?: string;
  /** @internal */
  readonly price?: Price;
  /** Over the provider's own. @internal */
  readonly timeouts?: Timeouts;
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens of its longest answer. */
  readonly maxOutput?: number;
  /** Of this model alone, beside the provider's own. @internal */
  readonly rateLimit?: RateLimit | undefined;
  /** Whether it goes on from a beginning of its answer. */
  readonly prefill?: boolean;
}

/** The part of a provider's configuration that routing needs, the same for every protocol. */
export interface ProviderSettings {
  readonly name: string;
  readonly type: string;
  readonly models: readonly ProviderModel[];
  readonly priority: number;
  readonly weight: number;
  readonly timeouts: Timeouts;
  readonly maxRetries: number;
  readonly retryDelayMs: number;
  /** Of all its models together. */
  readonly rateLimit: RateLimit | undefined;
  readonly maxConnections: number | undefined;
  /** How many keys take turns, at least 1. */
  readonly keys: number;
  readonly prefill: PrefillStyle | undefined;
  /** Asked in place of a free endpoint to see whether the service is up; costs money. */
  readonly probeModel: string | undefined;
  /** Id in the price table. */
  readonly prices: string | undefined;
  /** Whether what is no endpoint of ours may be passed on to it. */
  readonly passthrough: boolean;
  /** Endpoint families it serves. */
  readonly endpoints: readonly string[];
  /** What it does otherwise than its protocol. */
  readonly quirks: Quirks;
  /** The plugin whose class it is; left out for those that are built in. */
  readonly plugin?: PluginOwner | undefined;
  /** Whether the usage of a stream is asked for where the client did not ask; `auto` by its vendor's ways. */
  readonly askUsage: 'auto' | 'on' | 'off';
  /** What the operator says of its models, over what is known of them. @internal */
  readonly overrides?: readonly Overrides[];
  /** Tokens that its models take, where none of them says otherwise. @internal */
  readonly contextWindow?: number | undefined;
}

/** The plugin that a provider belongs to. */
export interface PluginOwner {
  readonly name: string;
  /** Told of what its code threw. @param what what went wrong: "Cannot get an answer from acme" */
  readonly failed: (what: string, thrown: unknown) => void;
}

/**
 * A deployment: where a provider lives and how it is asked. Subclasses say what `send` does; what is asked
 * of whom, and how often, is the router's business. Nothing here retries.
 *
 * A plugin's class also has a `static type`, the word in config.yaml, and may have `static options`, a zod schema, and
 * `static endpoints`, the families that it serves (`['chat']` when left out).
 */
export abstract class BaseProvider<Options = unknown> {
  protected readonly services: Services<Options>;
  /** @internal */
  readonly settings: ProviderSettings;

  constructor(services: Services<Options>) {
    this.services = services;
    this.settings = services.settings;
  }

  /** Its name in the configuration. */
  get name(): string {
    return this.settings.name;
  }

  /** Its `options` in the configuration, as its schema gave them. */
  protected get options(): Options {
    return this.services.options;
  }

  /** Variables of the environment. */
  protected get env(): Readonly<Record<string, string | undefined>> {
    return this.services.env;
  }

  /** Time, which tests may own. */
  protected get clock(): Clock {
    return this.services.clock;
  }

  /** The key that a call is to be made with; empty where the configuration names none. */
  protected key({ key }: { readonly key: number }): string {
    return this.services.keys[key] ?? '';
  }

  /** Tells the operator something, on stderr. */
  protected log(message: string): void {
    this.services.log(message);
  }

  /**
   * The platform's fetch on connections of this provider's own: without a limit of time but the signal's, and without
   * redirects, which would carry keys elsewhere.
   */
  protected fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    return this.services.fetch(new URL(url), { redirect: 'manual', timeout: false, ...init });
  }

  /**
   * How it is asked for a chat with this model: in OpenAI's chat unless a subclass says otherwise.
   * @param _request where that matters, in chat's own words
   */
  protocol(_model: string, _request?: JsonObject): ProtocolName {
    return 'chat';
  }

  /**
   * Whether it speaks the API of this endpoint itself, so that bytes pass unchanged. What is not relayed is
   * translated, where there is a way.
   * @param _request as the client has it, where that matters
   */
  relays(endpoint: Endpoint, model: string, _request?: JsonObject): boolean {
    return endpoint === this.protocol(model);
  }

  /** How it is asked for embeddings where that is not OpenAI's way. */
  embeddings(_model: string): EmbeddingProtocolName | undefined {
    return undefined;
  }

  /** How it is asked for the number of a request's tokens, where it tells. */
  counts(_model: string): CountingName | undefined {
    return undefined;
  }

  /** Whether it can answer at this endpoint, in its own protocol or another. */
  serves(endpoint: Endpoint, model: string): boolean {
    if (!this.settings.endpoints.includes(ENDPOINTS[endpoint].family)) return false;
    return isTranslated(endpoint) || this.relays(endpoint, model);
  }

  /** What this model does otherwise than its protocol. */
  quirks(model: string): Quirks {
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
   * Sends one request and resolves with the response's headers, whatever the status.
   * @throws ProxyError of fault `network` or `stale_connection` when there was no response; the signal's reason
   * when it aborted
   */
  abstract send(call: Call, signal: AbortSignal): Promise<UpstreamReply>;

  /**
   * Opens a session of its realtime API. Only where it serves one.
   * @throws as `send` does @internal
   */
  connect(_call: SocketCall, _signal: AbortSignal): Promise<SocketReply> {
    throw new Error(`Cannot open a session with ${this.name}: it has no realtime API`);
  }

  /** Whether what is no endpoint of ours is passed on to it: where its configuration says so, and it has an address. @internal */
  get passes(): boolean {
    return false;
  }

  /**
   * Passes a request on with its own credentials. Only where `passes` says so.
   * @throws as `send` does @internal
   */
  pass(_call: PassCall, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot pass a request on to ${this.name}: it has no address`);
  }

  /** A model's name within the messages of its realtime API. @internal */
  liveModel(model: string): string {
    return model;
  }

  /** Where a call would go and with which headers, credentials masked; `undefined` where it goes nowhere. @internal */
  outline(_call: Call): Outline | undefined {
    return undefined;
  }

  /** Whether there is a free endpoint that shows the service to be up. @internal */
  get probes(): boolean {
    return false;
  }

  /** Asks the free endpoint with one of the keys. Only where `probes` says that there is one. @internal */
  probe(_key: number, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot probe ${this.name}: it has no free endpoint`);
  }

  /** Where it lists its models; empty where it does not. @internal */
  get modelLists(): readonly URL[] {
    return [];
  }

  /** Asks for a page of such a list with one of the keys. Only where `modelLists` says that there is one. @internal */
  list(_url: URL, _key: number, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot list models of ${this.name}: it has no list`);
  }

  /** Whether a connection to it can be opened within `ms`; `true` also when it was heard of just before. @internal */
  reachable(_ms: number): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Releases idle connections. Requests in flight finish. */
  close(): void {
    this.services.transport.release();
  }
}
