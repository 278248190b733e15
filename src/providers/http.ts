import type { AuthScheme } from '../config/presets.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProviderSettings, UpstreamCall, UpstreamReply } from './base.ts';
import type { Dial, Fetch } from './transport.ts';
import type { Clock } from '../clock.ts';
import { BaseProvider } from './base.ts';
import { exchange } from './transport.ts';

export interface HttpOptions {
  readonly baseUrl: string;
  readonly auth: AuthScheme;
  /** Empty where none is needed. */
  readonly keys: readonly string[];
  /** Headers of every request: the preset's, then the operator's own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly probePath: string | undefined;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** Left out where connections go through an HTTP proxy, of which nothing can be said from here. */
  readonly dial?: Dial | undefined;
  /** How long idle connections are kept, milliseconds. */
  readonly keepaliveMs: number;
  /** Closes idle connections. */
  readonly release?: () => void;
}

/** A provider heard of within this time, milliseconds, needs no connection to be tried. */
const HEARD_MS = 30_000;

/** A connection that was closed before is found out within a round trip or two, milliseconds. */
const STALE_MS = 1_000;

/** Credentials as headers. */
function authHeaders(auth: AuthScheme, key: string | undefined): Record<string, string> {
  if (key === undefined || auth === 'none') return {};
  return auth === 'bearer' ? { authorization: `Bearer ${key}` } : { [auth]: key };
}

/** The base URL with a path below it; a version prefix that both name is not doubled. */
export function joinUrl(baseUrl: string, path: string): URL {
  const url = new URL(baseUrl);
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = base.endsWith('/v1') && path.startsWith('/v1/') ? base + path.slice(3) : base + path;
  return url;
}

/** A provider behind HTTP. Subclasses name the protocol and the path of an endpoint. */
export abstract class HttpProvider extends BaseProvider {
  readonly #options: HttpOptions;
  /** By key. */
  readonly #headers: readonly Readonly<Record<string, string>>[];
  readonly #urls = new Map<Endpoint, URL>();
  #heardMs = -Infinity;
  #dialing: Promise<boolean> | undefined;

  constructor(settings: ProviderSettings, options: HttpOptions) {
    super(settings);
    this.#options = options;
    const own = Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]);
    const keys = options.keys.length > 0 ? options.keys : [undefined];
    this.#headers = keys.map((key) => ({
      'user-agent': options.userAgent,
      ...authHeaders(options.auth, key),
      ...Object.fromEntries(own),
    }));
  }

  /** The endpoint's path below the base URL. */
  protected abstract path(endpoint: Endpoint): string;

  #url(endpoint: Endpoint): URL {
    let url = this.#urls.get(endpoint);
    if (!url) this.#urls.set(endpoint, (url = joinUrl(this.#options.baseUrl, this.path(endpoint))));
    return url;
  }

  override async send(call: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply> {
    const { clock, fetch, keepaliveMs } = this.#options;
    const sentMs = clock.monotonic();
    const headers = {
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      ...call.headers,
      'content-type': call.contentType,
      ...this.#headers[call.key],
    };
    const reply = await exchange(fetch, this.name, this.#url(call.endpoint), {
      method: 'POST',
      headers,
      body: call.body,
      signal,
      fresh: call.fresh,
      mayBeStale: () => sentMs - this.#heardMs < keepaliveMs && clock.monotonic() - sentMs < STALE_MS,
    });
    this.#heardMs = clock.monotonic();
    return reply;
  }

  override get probes(): boolean {
    return this.#options.probePath !== undefined;
  }

  override probe(key: number, signal: AbortSignal): Promise<UpstreamReply> {
    const { probePath, baseUrl, fetch } = this.#options;
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', ...this.#headers[key] };
    return exchange(fetch, this.name, joinUrl(baseUrl, probePath ?? ''), {
      method: 'GET',
      headers,
      signal,
      fresh: false,
      mayBeStale: () => false,
    });
  }

  override async reachable(ms: number): Promise<boolean> {
    const { clock, dial } = this.#options;
    if (!dial || clock.monotonic() - this.#heardMs < HEARD_MS) return true;
    this.#dialing ??= this.#dial(dial).finally(() => (this.#dialing = undefined));
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const cancel = clock.after(ms, () => resolve(false));
    const reachable = await Promise.race([this.#dialing, late]);
    cancel();
    return reachable;
  }

  /** A connection that is refused is no silence: the request itself will tell of it. */
  async #dial(dial: Dial): Promise<boolean> {
    const opened = await dial(new URL(this.#options.baseUrl)).then(
      () => true,
      () => false,
    );
    if (opened) this.#heardMs = this.#options.clock.monotonic();
    return true;
  }

  override close(): void {
    this.#options.release?.();
  }
}
