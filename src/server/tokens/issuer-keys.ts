/** The public keys with which an identity provider signs its tokens. */
import type { createLocalJWKSet, JSONWebKeySet } from 'jose';
import type { Clock } from '../../clock.ts';
import type { IssuerConfig } from '../../config/schema/auth.ts';
import { ProxyError } from '../../errors.ts';
import { readAtMost } from './read-at-most.ts';

/** Returns the key for a token. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

type Issuer = Pick<IssuerConfig, 'name' | 'issuer' | 'jwks_url'>;

/** Keys older than this are fetched again in the background, milliseconds. */
const FRESH_MS = 10 * 60_000;
/** While they cannot be fetched, the last ones are used up to this age. */
const STALE_MS = 60 * 60_000;
/** An unknown key id causes another fetch, at most once in this time: anybody can send one. */
const COOLDOWN_MS = 30_000;
/** After a failure there is no further attempt for this long. */
const RETRY_MS = 1_000;
/** The limits on the time and size of one response, milliseconds and bytes. */
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 ** 2;

export interface IssuerDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Reports problems that no caller can fix to the operator. */
  readonly problem: (message: string) => void;
}

/** The keys of one issuer, fetched on first use. */
export class IssuerKeys {
  readonly #issuer: Issuer;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #problem: (message: string) => void;
  #set: KeySet | undefined;
  #fetchedMs = -Infinity;
  #failedMs = -Infinity;
  #fetching: Promise<KeySet> | undefined;

  constructor(issuer: Issuer, { clock, problem }: IssuerDeps) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#problem = problem;
  }

  /** @throws ProxyError `unavailable` while there are none */
  async current(): Promise<KeySet> {
    const ageMs = this.#clock.monotonic() - this.#fetchedMs;
    if (this.#set && ageMs < FRESH_MS) return this.#set;
    if (!this.#set || ageMs >= STALE_MS) return this.#fetch();
    // A failure changes nothing: the present keys are used, and the next request tries again.
    this.#fetch().catch(() => undefined);
    return this.#set;
  }

  /**
   * A newer key set, which may contain a key that is missing in another.
   * @returns `undefined` if the other one is as new as possible
   * @throws ProxyError `unavailable` when it cannot be fetched
   */
  async newerThan(other: KeySet): Promise<KeySet | undefined> {
    if (this.#set !== other) return this.#set;
    if (this.#clock.monotonic() - this.#fetchedMs < COOLDOWN_MS) return undefined;
    return this.#fetch();
  }

  /** All requests that need the keys at the same time wait for one fetch. */
  #fetch(): Promise<KeySet> {
    if (this.#fetching) return this.#fetching;
    if (this.#clock.monotonic() - this.#failedMs < RETRY_MS) return Promise.reject(this.#unavailable());
    this.#fetching = this.#load()
      .then((set) => {
        this.#fetchedMs = this.#clock.monotonic();
        this.#failedMs = -Infinity;
        return (this.#set = set);
      })
      .catch((cause: unknown) => {
        const { name } = this.#issuer;
        const reason = cause instanceof Error ? cause.message : String(cause);
        // Reported once per outage.
        if (this.#failedMs === -Infinity)
          this.#problem(`Cannot fetch the keys of the identity provider "${name}": ${reason}`);
        this.#failedMs = this.#clock.monotonic();
        throw this.#unavailable(cause);
      })
      .finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #load(): Promise<KeySet> {
    const { createLocalJWKSet } = await import('jose');
    const keys = await fetchJson(this.#issuer.jwks_url ?? (await this.#discovered()));
    return createLocalJWKSet(keys as JSONWebKeySet);
  }

  /** @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
  async #discovered(): Promise<string> {
    const { issuer } = this.#issuer;
    const document = await fetchJson(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
    const { issuer: named, jwks_uri: url } = document as { issuer?: unknown; jwks_uri?: unknown };
    if (named !== issuer) throw new Error('the configuration there belongs to another issuer');
    const found = typeof url === 'string' ? URL.parse(url) : null;
    const safe = found?.protocol === 'https:' || (found?.protocol === 'http:' && issuer.startsWith('http:'));
    if (!found || !safe) throw new Error('the configuration there has no jwks_uri that may be used');
    return found.href;
  }

  #unavailable(cause?: unknown): ProxyError {
    return new ProxyError(
      'unavailable',
      `Cannot check the token: the keys of the identity provider "${this.#issuer.name}" cannot be fetched at the moment`,
      { retryAfterMs: RETRY_MS, cause },
    );
  }
}

/** The keys of all issuers in a configuration. They outlive it, so that a reload need not fetch them. */
export class IssuerPool {
  readonly #deps: IssuerDeps;
  #keys = new Map<string, IssuerKeys>();

  constructor(deps: IssuerDeps) {
    this.#deps = deps;
  }

  /** The keys of each issuer in a configuration, in its order. Those of other issuers are dropped. */
  adopt(issuers: readonly Issuer[]): IssuerKeys[] {
    const kept = new Map<string, IssuerKeys>();
    const all = issuers.map((issuer) => {
      const id = JSON.stringify([issuer.name, issuer.issuer, issuer.jwks_url]);
      const keys = this.#keys.get(id) ?? new IssuerKeys(issuer, this.#deps);
      kept.set(id, keys);
      return keys;
    });
    this.#keys = kept;
    return all;
  }
}

/** @throws Error when the address does not return a JSON object in time */
async function fetchJson(url: string): Promise<object> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
  const value: unknown = JSON.parse(await readAtMost(answer, MAX_BYTES));
  if (typeof value === 'object' && value !== null) return value;
  throw new Error('its answer is not a JSON object');
}
