import type { AuthScheme } from '../config/presets.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import type { ProviderSettings, UpstreamCall, UpstreamReply } from './base.ts';
import type { Fetch } from './transport.ts';
import { BaseProvider } from './base.ts';
import { exchange } from './transport.ts';

export interface HttpOptions {
  readonly baseUrl: string;
  readonly auth: AuthScheme;
  readonly key: string | undefined;
  /** Headers of every request: the preset's, then the operator's own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly probePath: string | undefined;
  readonly userAgent: string;
  readonly fetch: Fetch;
  /** Closes idle connections. */
  readonly release?: () => void;
}

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
  readonly #headers: Readonly<Record<string, string>>;
  readonly #urls = new Map<Endpoint, URL>();

  constructor(settings: ProviderSettings, options: HttpOptions) {
    super(settings);
    this.#options = options;
    this.#headers = {
      'user-agent': options.userAgent,
      ...authHeaders(options.auth, options.key),
      ...Object.fromEntries(
        Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
    };
  }

  /** The endpoint's path below the base URL. */
  protected abstract path(endpoint: Endpoint): string;

  #url(endpoint: Endpoint): URL {
    let url = this.#urls.get(endpoint);
    if (!url) this.#urls.set(endpoint, (url = joinUrl(this.#options.baseUrl, this.path(endpoint))));
    return url;
  }

  override send(call: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply> {
    const headers = {
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      ...call.headers,
      'content-type': call.contentType,
      ...this.#headers,
    };
    const init = { method: 'POST', headers, body: call.body, signal };
    return exchange(this.#options.fetch, this.name, this.#url(call.endpoint), init);
  }

  override probe(signal: AbortSignal): Promise<UpstreamReply> | undefined {
    const { probePath, baseUrl, fetch } = this.#options;
    if (probePath === undefined) return undefined;
    const headers = { accept: 'application/json', 'accept-encoding': 'identity', ...this.#headers };
    return exchange(fetch, this.name, joinUrl(baseUrl, probePath), { method: 'GET', headers, signal });
  }

  override close(): void {
    this.#options.release?.();
  }
}
