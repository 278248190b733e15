import type { Endpoint } from '../wire/endpoints.ts';
import type { Price, RateLimit, Timeouts } from '../config/schema.ts';
import type { PrefillStyle } from '../wire/continue.ts';
import type { EmbeddingProtocolName } from '../wire/embeddings.ts';
import type { ProtocolName } from '../wire/protocol.ts';
import type { Quirks } from '../wire/quirks.ts';
import { ENDPOINTS, isTranslated } from '../wire/endpoints.ts';
import { mergeQuirks } from '../wire/quirks.ts';

/** What a provider is asked: the body is already in its protocol, with the model name it knows. */
export interface UpstreamCall {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** What of the client's query travels on, such as "beta=true". */
  readonly query?: string | undefined;
  readonly stream: boolean;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  /** Which of the provider's keys, from 0. */
  readonly key: number;
  /** On a connection of its own: the last one turned out to be closed. */
  readonly fresh: boolean;
  /** Headers of the client that may travel on, by allow list; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What came back. The body is raw bytes, still compressed when `content-encoding` says so. */
export interface UpstreamReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The whole body at once, where there is a cheaper way to it than the stream. */
  readonly arrayBuffer?: () => Promise<ArrayBuffer>;
}

/** Ways to have tokens counted. */
export type CountingName = 'messages' | 'gemini' | 'vertex' | 'converse';

/** A call as it may be shown. */
export interface Outline {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: UpstreamCall['body'];
}

/** One model of a provider: `name` may be a glob, then the client's name is the upstream name. */
export interface ProviderModel {
  readonly name: string;
  readonly upstream?: string;
  readonly price?: Price;
  /** Over the provider's own. */
  readonly timeouts?: Timeouts;
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens of its longest answer. */
  readonly maxOutput?: number;
  /** Of this model alone, beside the provider's own. */
  readonly rateLimit?: RateLimit | undefined;
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
  /** Endpoint families it serves. */
  readonly endpoints: readonly string[];
  /** What it does otherwise than its protocol. */
  readonly quirks: Quirks;
}

/**
 * A deployment: where a provider lives and how it is asked. Subclasses say what `send` does; what is asked
 * of whom, and how often, is the router's business. Nothing here retries.
 */
export abstract class BaseProvider {
  readonly settings: ProviderSettings;

  constructor(settings: ProviderSettings) {
    this.settings = settings;
  }

  get name(): string {
    return this.settings.name;
  }

  /** How it is asked for a chat with this model. */
  abstract protocol(model: string): ProtocolName;

  /**
   * Whether it speaks the API of this endpoint itself, so that bytes pass unchanged. What is not relayed is
   * translated, where there is a way.
   */
  abstract relays(endpoint: Endpoint, model: string): boolean;

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
    const { models, ...vendor } = this.settings.quirks;
    const row = models?.find(({ match }) => match.test(model));
    return row ? mergeQuirks(vendor, row.quirks) : vendor;
  }

  /**
   * Sends one request and resolves with the response's headers, whatever the status.
   * @throws ProxyError of fault `network` or `stale_connection` when there was no response; the signal's reason
   * when it aborted
   */
  abstract send(call: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply>;

  /** Where a call would go and with which headers, credentials masked; `undefined` where it goes nowhere. */
  outline(_call: UpstreamCall): Outline | undefined {
    return undefined;
  }

  /** Whether there is a free endpoint that shows the service to be up. */
  get probes(): boolean {
    return false;
  }

  /** Asks the free endpoint with one of the keys. Only where `probes` says that there is one. */
  probe(_key: number, _signal: AbortSignal): Promise<UpstreamReply> {
    throw new Error(`Cannot probe ${this.name}: it has no free endpoint`);
  }

  /** Whether a connection to it can be opened within `ms`; `true` also when it was heard of just before. */
  reachable(_ms: number): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Releases idle connections. Requests in flight finish. */
  close(): void {}
}
