import type { Authorizer } from './auth/authorizer.ts';
import type { Outline, ProviderSettings, UpstreamCall, UpstreamReply } from './base.ts';
import type { Dial, Fetch } from './transport.ts';
import type { Clock } from '../clock.ts';
import type { Steps } from '../turns.ts';
import { atOnce, turns } from '../turns.ts';
import { namesCredential } from '../config/keys.ts';
import { BaseProvider } from './base.ts';
import { exchange } from './transport.ts';

export interface HttpOptions {
  readonly baseUrl: string;
  readonly auth: Authorizer;
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
const HEARD_MS = 5_000;

/** A connection that was closed before is found out within a round trip or two, milliseconds. */
const STALE_MS = 1_000;

/** What decides the path of a call. */
export type Called = Pick<UpstreamCall, 'endpoint' | 'model' | 'query' | 'stream'>;

/** URLs remembered at most; some hold the model's name. */
const MAX_URLS = 500;

/** The base URL with a path below it, which may have a query; a version prefix that both name is not doubled. */
export function joinUrl(baseUrl: string, pathAndQuery: string): URL {
  const url = new URL(baseUrl);
  const [path = '', query = ''] = pathAndQuery.split('?');
  url.search = query;
  const base = url.pathname.replace(/\/+$/, '');
  url.pathname = base.endsWith('/v1') && path.startsWith('/v1/') ? base + path.slice(3) : base + path;
  return url;
}

/** A provider behind HTTP. Subclasses name the protocol and the paths. */
export abstract class HttpProvider extends BaseProvider {
  readonly #options: HttpOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #urls = new Map<string, URL>();
  #heardMs = -Infinity;
  #dialing: Dialing | undefined;

  constructor(settings: ProviderSettings, options: HttpOptions) {
    super(settings);
    this.#options = options;
    const own = Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]);
    this.#headers = { 'user-agent': options.userAgent, ...Object.fromEntries(own) };
  }

  /** Where a call goes, below the base URL. */
  protected abstract path(call: Called): string;

  /** Makes the body of a call, where it is not as it came; it may be megabytes. */
  protected rewritten(_call: UpstreamCall): Steps<UpstreamCall['body']> | undefined {
    return undefined;
  }

  #url(call: Called): URL {
    const { query } = call;
    const own = this.path(call);
    const path = query === undefined ? own : `${own}${own.includes('?') ? '&' : '?'}${query}`;
    let url = this.#urls.get(path);
    if (!url) {
      if (this.#urls.size >= MAX_URLS) this.#urls.clear();
      this.#urls.set(path, (url = joinUrl(this.#options.baseUrl, path)));
    }
    return url;
  }

  #plain(call: UpstreamCall): Record<string, string> {
    return {
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      ...call.headers,
      'content-type': call.contentType,
      ...this.#headers,
    };
  }

  override outline(call: UpstreamCall): Outline {
    const shown = Object.entries({ ...this.#plain(call), ...this.#options.auth.outline });
    const headers = shown.map(([name, value]) => [name, namesCredential(name) ? '[masked]' : value]);
    const steps = this.rewritten(call);
    const body = steps ? atOnce(steps) : call.body;
    return { url: this.#url(call).href, headers: Object.fromEntries(headers), body };
  }

  override async send(call: UpstreamCall, signal: AbortSignal): Promise<UpstreamReply> {
    const { clock, fetch, keepaliveMs, auth } = this.#options;
    const url = this.#url(call);
    const steps = this.rewritten(call);
    const body = steps ? await turns.run(steps) : call.body;
    const headers = this.#plain(call);
    const credentials = auth.headers(call.key, { method: 'POST', url, headers, body }, signal);
    Object.assign(headers, credentials instanceof Promise ? await credentials : credentials);
    // The operator's own headers go last.
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
    return reply;
  }

  override get probes(): boolean {
    return this.#options.probePath !== undefined;
  }

  override async probe(key: number, signal: AbortSignal): Promise<UpstreamReply> {
    const { probePath, baseUrl, fetch, auth } = this.#options;
    const url = joinUrl(baseUrl, probePath ?? '');
    const plain = { accept: 'application/json', 'accept-encoding': 'identity', ...this.#headers };
    const shown = await auth.headers(key, { method: 'GET', url, headers: plain, body: undefined }, signal);
    return await exchange(fetch, this.name, url, {
      method: 'GET',
      headers: { ...plain, ...shown, ...this.#headers },
      signal,
      fresh: false,
      mayBeStale: () => false,
    });
  }

  override async reachable(ms: number): Promise<boolean> {
    const { clock, dial } = this.#options;
    if (!dial || clock.monotonic() - this.#heardMs < HEARD_MS) return true;
    const dialing = (this.#dialing ??= this.#dial(dial));
    // A dial that is given up says nothing about the next one.
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
    const dialed = dial(new URL(this.#options.baseUrl), abort.signal).then(
      () => {
        this.#heardMs = this.#options.clock.monotonic();
        ended();
        return true;
      },
      () => {
        ended();
        // A connection that is refused is no silence: the request itself will tell of it.
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

  override close(): void {
    this.#options.release?.();
  }
}

/** A connection that is being opened, to see whether it can be. */
interface Dialing {
  readonly opened: Promise<boolean>;
  readonly giveUp: () => void;
}
