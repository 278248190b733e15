import type { Services } from '../services.ts';
import type { Authorizer } from './authorizer.ts';
import { ProxyError } from '../../errors.ts';
import { countOf, isObject, parseJson, stringOf } from '../../wire/json.ts';
import { beginning } from '../beginning.ts';
import { exchange, networkError } from '../transport.ts';

/** A token request. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** The provider that tokens are fetched for, and how; `hide` is called with each token before it is used. */
type TokenDeps = Pick<Services, 'name' | 'clock' | 'fetch' | 'hide'>;

interface Token {
  readonly value: string;
  /** Monotonic time. */
  readonly untilMs: number;
}

/** A token is renewed this long before it expires, milliseconds. */
const MARGIN_MS = 60_000;

/** The longest time a token is used, even if it is said to be valid longer, seconds. */
const MAX_SECONDS = 86_400;

/** The timeout of a token request, milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Authenticates with a token that is fetched on demand, cached until shortly before it expires, and fetched once for
 * all requests that wait for it.
 */
export class TokenAuth implements Authorizer {
  readonly #ask: () => TokenRequest | Promise<TokenRequest>;
  readonly #deps: TokenDeps;
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;

  /** @param ask requests a new token; an OAuth response is expected */
  constructor(ask: () => TokenRequest | Promise<TokenRequest>, deps: TokenDeps) {
    this.#ask = ask;
    this.#deps = deps;
  }

  headers(
    _request: unknown,
    signal: AbortSignal,
  ): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>> {
    const now = this.#deps.clock.monotonic();
    if (this.#token && this.#token.untilMs > now) return bearer(this.#token);
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#wait(this.#fetching, signal);
  }

  /** A waiting request may be aborted; the token is still fetched for the others. */
  async #wait(fetching: Promise<Token>, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    try {
      return bearer(await Promise.race([fetching, left]));
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  async #fetch(): Promise<Token> {
    const { clock, fetch, name: provider, hide } = this.#deps;
    const abort = new AbortController();
    const late = new ProxyError('network', `Cannot sign in for ${provider}: no answer in time`, {
      target: provider,
    });
    const cancel = clock.after(PATIENCE_MS, () => abort.abort(late));
    try {
      const { url, ...init } = await this.#ask();
      const options = { ...init, signal: abort.signal, fresh: false, mayBeStale: () => false };
      const reply = await exchange(fetch, provider, url, options);
      const text = await beginning(reply.body).catch((cause: unknown) =>
        cutOff(provider, abort.signal, cause),
      );
      const answer = parseJson(text);
      const value = isObject(answer) ? stringOf(answer.access_token) : undefined;
      if (value === undefined || !isObject(answer)) throw refused(provider, reply.status, answer);
      hide(value);
      const lastsMs = Math.min(MAX_SECONDS, countOf(Number(answer.expires_in)) ?? 300) * 1_000;
      this.#token = { value, untilMs: clock.monotonic() + Math.max(1_000, lastsMs - MARGIN_MS) };
      return this.#token;
    } finally {
      cancel();
    }
  }
}

function bearer({ value }: Token): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${value}` };
}

/** A response that ended prematurely. */
function cutOff(provider: string, signal: AbortSignal, cause: unknown): never {
  throw signal.aborted ? signal.reason : networkError(provider, cause);
}

/** OAuth's error code names the cause; its description may quote what was sent. */
function refused(provider: string, status: number, answer: unknown): ProxyError {
  const code = isObject(answer) ? stringOf(answer.error) : undefined;
  const reason = code === undefined ? '' : ` (${code.slice(0, 100)})`;
  const fault = status >= 500 ? 'server' : 'auth';
  return new ProxyError(fault, `Cannot sign in for ${provider}: it was answered with ${status}${reason}`, {
    target: provider,
  });
}
