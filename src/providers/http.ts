import type { Unsigned } from './auth/authorizer.ts';
import type { Outline, PassCall, SocketCall, SocketReply, UpstreamReply } from './base.ts';
import type { Call } from './call.ts';
import type { Services } from './services.ts';
import type { Dial } from './transport.ts';
import type { Steps } from '../turns.ts';
import { atOnce, turns } from '../turns.ts';
import { namesCredential } from '../config/keys.ts';
import { ProxyError } from '../errors.ts';
import { ENDPOINTS } from '../wire/endpoints.ts';
import { keyHeaders } from './auth/authorizer.ts';
import { BaseProvider } from './base.ts';
import { sendEach } from './parts.ts';
import { openSocket } from './socket.ts';
import { exchange, markRaw, networkError } from './transport.ts';

/** A provider that responded within this time needs no test connection, milliseconds. */
const HEARD_MS = 5_000;

/** A connection that was already closed is detected within a round trip or two, milliseconds. */
const STALE_MS = 1_000;

/** What the path of a call depends on. */
export type Called = Pick<Call, 'endpoint' | 'model' | 'query' | 'stream'>;

/** The largest number of cached URLs; some contain the name of the model. */
const MAX_URLS = 500;

/** The base URL joined with a path, which may have a query; a version prefix that both contain is not doubled. */
export function joinUrl(baseUrl: string, pathAndQuery: string): URL {
  const url = new URL(baseUrl);
  const [path = '', query = ''] = pathAndQuery.split('?');
  url.search = query;
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = base.endsWith('/v1') && path.startsWith('/v1/') ? base + path.slice(3) : base + path;
  return url;
}

/** A URL below the base URL. A version that both contain is not doubled. */
function addressBelow(baseUrl: string, { segments, query }: Pick<PassCall, 'segments' | 'query'>): URL {
  const url = joinUrl(baseUrl, `/${segments.join('/')}`);
  url.search = query;
  return url;
}

/** Headers, by lower-case name. */
export type HeaderFields = Readonly<Record<string, string>>;

/**
 * A provider that is called over HTTP. Subclasses override what differs from OpenAI's API with a bearer key: the
 * address, the path, the credentials, the protocol.
 */
export class HttpProvider<Options = unknown> extends BaseProvider<Options> {
  readonly #headers: HeaderFields;
  readonly #credentials: readonly HeaderFields[];
  readonly #urls = new Map<string, URL>();
  #heardMs = -Infinity;
  #dialing: Dialing | undefined;

  constructor(services: Services<Options>) {
    super(services);
    const { headers, userAgent, scheme } = services.transport;
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    this.#headers = { 'user-agent': userAgent, ...Object.fromEntries(own) };
    this.#credentials = services.keys.map((key) => keyHeaders(scheme, key));
  }

  /**
   * The address of its API: `base_url` unless a subclass overrides it. It does not change while the provider is in use.
   */
  get baseUrl(): string {
    const { baseUrl } = this.services;
    if (baseUrl !== undefined) return baseUrl;
    throw new ProxyError('unsupported', `Cannot call ${this.name}: it has no base_url`, {
      target: this.name,
    });
  }

  /** The path of a call below the base URL; it may have a query. OpenAI's paths, unless a subclass overrides it. */
  protected path({ endpoint }: Called): string {
    return ENDPOINTS[endpoint].path;
  }

  /**
   * The headers that authenticate a call: the key as a bearer token, unless a subclass overrides it. A promise if a
   * token must be fetched or a signature computed.
   * @throws ProxyError `auth` when there are no credentials, `network` when their issuer cannot be reached
   */
  protected auth({ key }: Unsigned, _signal: AbortSignal): HeaderFields | Promise<HeaderFields> {
    return this.#credentials[key] ?? {};
  }

  /** Those headers as `explain` shows them: by name, with a word in place of the secret. */
  protected get shownAuth(): HeaderFields {
    const { keys, transport, settings } = this.services;
    // Only the plugin knows what its own method would show.
    const isOwn = settings.plugin !== undefined && this.auth !== HttpProvider.prototype.auth;
    return isOwn || keys.length === 0 ? {} : keyHeaders(transport.scheme, '[masked]');
  }

  /** Further headers of every request, by lower-case name. The operator's `custom_headers` take precedence. */
  protected get headers(): HeaderFields | undefined {
    return undefined;
  }

  /** Builds the body of a call if it must be changed; it may be megabytes. */
  protected rewritten(_call: Call): Steps<Call['body']> | undefined {
    return undefined;
  }

  #url(call: Called): URL {
    const { query } = call;
    const own = this.path(call);
    const path = query === undefined ? own : `${own}${own.includes('?') ? '&' : '?'}${query}`;
    let url = this.#urls.get(path);
    if (!url) {
      if (this.#urls.size >= MAX_URLS) this.#urls.clear();
      this.#urls.set(path, (url = joinUrl(this.baseUrl, path)));
    }
    return url;
  }

  #plain(call: Call): Record<string, string> {
    return {
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      ...call.headers,
      'content-type': call.contentType,
      ...this.headers,
      ...this.#headers,
    };
  }

  /** @internal */
  override outline(call: Call): Outline {
    const shown = Object.entries({ ...this.#plain(call), ...this.shownAuth });
    const headers = shown.map(([name, value]) => [name, namesCredential(name) ? '[masked]' : value]);
    const steps = this.rewritten(call);
    const body = steps ? atOnce(steps) : call.body;
    return { url: this.#url(call).href, headers: Object.fromEntries(headers), body };
  }

  override send(call: Call, signal: AbortSignal): Promise<UpstreamReply> {
    const { parts } = call;
    if (parts === undefined) return this.#send(call, signal);
    const ask = (body: Call['body']) => this.#send(call.with(body, call.contentType), signal);
    const broken = (cause: unknown): unknown =>
      signal.aborted ? signal.reason : networkError(this.name, cause);
    return sendEach(parts, ask, broken);
  }

  async #send(call: Call, signal: AbortSignal): Promise<UpstreamReply> {
    const { clock, fetch, transport } = this.services;
    const { keepaliveMs } = transport;
    const url = this.#url(call);
    const steps = this.rewritten(call);
    const body = steps ? await turns.run(steps) : call.body;
    const headers = this.#plain(call);
    const credentials = this.auth({ key: call.key, method: 'POST', url, headers, body }, signal);
    Object.assign(headers, credentials instanceof Promise ? await credentials : credentials);
    // The operator's own headers take precedence.
    Object.assign(headers, this.#headers);
    const sentMs = clock.monotonic();
    const reply = await exchange(fetch, this.name, url, {
      method: 'POST',
      headers,
      body,
      signal,
      fresh: call.fresh,
      mayBeStale: () => sentMs - this.#heardMs < keepaliveMs && clock.monotonic() - sentMs < STALE_MS,
    });
    this.#heardMs = clock.monotonic();
    if (this.settings.plugin) markRaw(reply);
    return reply;
  }

  /** The URL of its realtime API. @internal */
  protected socketUrl(call: Called): URL {
    return this.#url(call);
  }

  /** @internal */
  override async connect(call: SocketCall, signal: AbortSignal): Promise<SocketReply> {
    const { clock } = this.services;
    const { endpoint, model, key, maxMessage } = call;
    const url = this.socketUrl({ endpoint, model, query: undefined, stream: true });
    const plain = { ...call.headers, ...this.headers, ...this.#headers };
    const shown = await this.auth({ key, method: 'GET', url, headers: plain, body: undefined }, signal);
    const headers = { ...plain, ...shown, ...this.#headers };
    const reply = await openSocket(this.name, url, { headers, signal, maxMessage, clock });
    this.#heardMs = clock.monotonic();
    return reply;
  }

  /** @internal */
  override get passes(): boolean {
    return this.settings.passthrough;
  }

  /** @internal */
  override async pass(call: PassCall, signal: AbortSignal): Promise<UpstreamReply> {
    const { fetch, clock } = this.services;
    const { method, body } = call;
    const url = addressBelow(this.baseUrl, call);
    const plain = { 'accept-encoding': 'identity', ...call.headers, ...this.headers, ...this.#headers };
    // Objects created with one account do not exist in another, so the first key is always used.
    const shown = await this.auth({ key: 0, method, url, headers: plain, body: undefined }, signal);
    const reply = await exchange(fetch, this.name, url, {
      method,
      headers: { ...plain, ...shown, ...this.#headers },
      body: body ?? null,
      signal,
      // The request is not retried, so it must not be sent on a connection that is already closed.
      fresh: true,
      mayBeStale: () => false,
    });
    this.#heardMs = clock.monotonic();
    return reply;
  }

  /** @internal */
  override get probes(): boolean {
    return this.services.transport.probePath !== undefined;
  }

  /** @internal */
  override probe(key: number, signal: AbortSignal): Promise<UpstreamReply> {
    return this.#get(joinUrl(this.baseUrl, this.services.transport.probePath ?? ''), key, signal);
  }

  /** @internal */
  override get modelLists(): readonly URL[] {
    const { listPath } = this.services.transport;
    return listPath === undefined ? [] : [joinUrl(this.baseUrl, listPath)];
  }

  /** @internal */
  override list(url: URL, key: number, signal: AbortSignal): Promise<UpstreamReply> {
    return this.#get(url, key, signal);
  }

  async #get(url: URL, key: number, signal: AbortSignal): Promise<UpstreamReply> {
    const fixed = { accept: 'application/json', 'accept-encoding': 'identity' };
    const plain = { ...fixed, ...this.headers, ...this.#headers };
    const shown = await this.auth({ key, method: 'GET', url, headers: plain, body: undefined }, signal);
    const reply = await exchange(this.services.fetch, this.name, url, {
      method: 'GET',
      headers: { ...plain, ...shown, ...this.#headers },
      signal,
      fresh: false,
      mayBeStale: () => false,
    });
    // A later request may find this connection closed.
    this.#heardMs = this.services.clock.monotonic();
    return reply;
  }

  /** @internal */
  override async reachable(ms: number): Promise<boolean> {
    const { clock } = this.services;
    const { dial } = this.services.transport;
    if (!dial || clock.monotonic() - this.#heardMs < HEARD_MS) return true;
    const dialing = (this.#dialing ??= this.#dial(dial));
    // An abandoned connection attempt says nothing about the next one.
    const cancel = clock.after(ms, dialing.giveUp);
    const reachable = await dialing.opened;
    cancel();
    return reachable;
  }

  #dial(dial: Dial): Dialing {
    const abort = new AbortController();
    const { promise: givenUp, resolve } = Promise.withResolvers<boolean>();
    const ended = () => {
      if (this.#dialing === dialing) this.#dialing = undefined;
    };
    const dialed = dial(new URL(this.baseUrl), abort.signal).then(
      () => {
        this.#heardMs = this.services.clock.monotonic();
        ended();
        return true;
      },
      () => {
        ended();
        // A refused connection is not silence: the request itself will report it.
        return !abort.signal.aborted;
      },
    );
    const giveUp = () => {
      abort.abort();
      ended();
      resolve(false);
    };
    const dialing: Dialing = { opened: Promise.race([dialed, givenUp]), giveUp };
    return dialing;
  }
}

/** A connection attempt that tests whether the provider is reachable. */
interface Dialing {
  readonly opened: Promise<boolean>;
  readonly giveUp: () => void;
}
