import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AuthConfig, KeyConfig, Raise } from '../config/schema/auth.ts';
import type { Config, LogContent } from '../config/schema.ts';
import type { ClientCertConfig } from '../config/schema/socket.ts';
import type { Access } from '../limits/access.ts';
import type { Caller } from '../limits/caller.ts';
import { UNRESTRICTED } from '../limits/caller.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';
import { accessOf } from '../limits/access.ts';
import { permitEndpoint } from './permit.ts';
import { moreSpecific, RECOGNIZED, Refused, specificityOf } from './refused.ts';
import { keyFor, namesIn } from './tls/client-certificate.ts';

/** An authenticated caller. There is one object for each caller of a configuration. */
export interface Client extends Caller {
  /** How much of its requests is logged, if its key sets that. */
  readonly content: LogContent | undefined;
  readonly access: Access;
  /** What a token said about it; omitted for callers that are keys. */
  readonly token?: TokenFacts | undefined;
}

/** What the token of a caller said, as far as another configuration may understand it differently. */
export interface TokenFacts {
  /** The name of its issuer. */
  readonly issuer: string;
  /** Whether it named the group; otherwise the issuer's applies. */
  readonly namesGroup: boolean;
}

/** How a caller identified itself, for requests that last longer than a configuration. */
export interface Shown {
  readonly client: Client;
  readonly headers: HeaderMap;
  /** Whether a token identified it. */
  readonly byToken: boolean;
}

/** Accepts tokens of identity providers in place of keys. */
export interface Tokens {
  /** Whether a text may be a token. */
  readonly resembles: (text: string) => boolean;
  /** Whether a text claims to be a token of one of the issuers. */
  readonly claims: (text: string) => boolean;
  /**
   * The caller that a token belongs to; without a promise if the token is cached.
   * @throws ProxyError `unauthenticated`, `not_permitted`, or `unavailable` while the issuer's keys cannot be fetched
   */
  readonly client: (token: string) => Client | Promise<Client>;
  /**
   * The caller of a token that was valid under an earlier configuration.
   * @throws ProxyError `unauthenticated`, `not_permitted`
   */
  readonly again: (client: Client, facts: TokenFacts) => Client;
}

/** What tokens may refer to. */
export interface KnownKeys {
  /** The caller whose key has this name. @throws ProxyError if there is none, or it must not call */
  readonly named: (name: string) => Client;
}

export interface AuthDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Returns the key of a `key_env`. */
  readonly secret: (variable: string) => string | undefined;
  /** Creates the verifier of tokens; omitted if there are no issuers. */
  readonly tokens?: ((keys: KnownKeys) => Tokens) | undefined;
}

interface KnownKey {
  readonly name: string;
  readonly client: Client;
  /** When it expires, milliseconds since 1970. */
  readonly expires: number;
  readonly disabled: boolean;
  /** Whether it may send requests to models. */
  readonly asks: boolean;
  /** Whether it may read the operational endpoints. */
  readonly operates: boolean;
}

/** A secret, known by its hash. */
interface Secret {
  readonly hash: Buffer;
  readonly known: KnownKey;
  /** When it was replaced by another, milliseconds since 1970; `Infinity` for the current one. */
  readonly until: number;
}

/** A key that may read the operational endpoints. */
export interface OperatorKey {
  readonly name: string;
  /** SHA-256 of its secret, in hex. */
  readonly hash: string;
}

const ANYONE: Client = {
  ...UNRESTRICTED,
  key: null,
  group: undefined,
  content: undefined,
  access: accessOf({ ...UNRESTRICTED, group: undefined }, {}),
};

/** The part of the configuration that defines who may call. */
export type AuthSource = Pick<Config, 'auth' | 'groups'> & Partial<Pick<Config, 'server'>>;

/** Headers besides `Authorization` in which the SDKs of Anthropic, Azure and Google send their key. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'];

/** Determines who sent a request, by the hashes of the configured keys. The keys themselves are not kept. */
export class Authenticator {
  /** By the beginning of their hash, so that the cost of a request does not depend on the number of keys. */
  readonly #secrets = new Map<number, Secret[]>();
  readonly #keys = new Map<string, KnownKey>();
  readonly #open: boolean;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tokens: Tokens | undefined;
  readonly #certs: readonly ClientCertConfig[];

  constructor({ auth, groups, server }: AuthSource, { clock, secret, tokens }: AuthDeps) {
    this.#clock = clock;
    this.#certs = server?.tls?.client_certs ?? [];
    this.#open = auth === undefined || auth === 'none';
    if (auth === undefined || auth === 'none') return;
    const { keys, raises = [] } = auth;
    const raisesOf = Map.groupBy(raises, ({ key }) => key);
    const alone = isAlone(auth);
    for (const key of keys) {
      const known = knownKey(key, { groups, raises: raisesOf.get(key.name) ?? [], alone });
      this.#keys.set(key.name, known);
      const plain = key.key ?? (key.key_env === undefined ? undefined : secret(key.key_env));
      const hash = key.hash ? hashIn(key.hash) : plain ? Buffer.from(hashOf(plain)) : undefined;
      if (hash) this.#learn(hash, known, Infinity);
      for (const { hash: former, until } of key.previous ?? []) this.#learn(hashIn(former), known, until);
    }
    this.#tokens = tokens?.({ named: (name) => this.#named(name) });
  }

  /** Whether everybody may call. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * The caller of a request; a promise only if a token must be verified.
   * @param endpoint which the caller's lists must allow; `null` for endpoints that no list covers
   * @throws ProxyError `unauthenticated`, `not_permitted`; `unavailable` if a token cannot be verified
   */
  client(headers: HeaderMap, endpoint: Recorded | null): Client | Promise<Client> {
    if (this.#open) return ANYONE;
    const found = this.#look(headers);
    if (!(found instanceof ProxyError)) return permitted(asking(found), endpoint);
    const tokens = this.#tokens;
    const texts = tokens ? presented(headers).filter(tokens.resembles) : [];
    if (texts.length === 0) throw found;
    const isOnly = texts.length === 1 && specificityOf(found) === 0;
    const client = isOnly ? tokens!.client(texts[0]!) : firstValid(tokens!, texts, found);
    return client instanceof Promise
      ? client.then((each) => permitted(each, endpoint))
      : permitted(client, endpoint);
  }

  /** How a caller that was just accepted has identified itself. */
  shownBy(client: Client, headers: HeaderMap): Shown {
    return { client, headers, byToken: !this.#open && this.#look(headers) instanceof ProxyError };
  }

  /**
   * The caller of a request or session that began under another configuration. A token only has to be valid at the
   * beginning, but the key that it names must still be.
   * @throws ProxyError `unauthenticated`, `not_permitted`
   */
  again(shown: Shown, endpoint: Recorded): Client {
    return this.#open ? ANYONE : permitted(this.#again(shown), endpoint);
  }

  /** The credential in a request, whether or not it is valid. */
  shown(headers: HeaderMap): readonly string[] {
    return presented(headers);
  }

  /** The caller whose key has this name, whether or not the key is valid now. */
  named(key: string): Client | undefined {
    return this.#keys.get(key)?.client;
  }

  /** Requires access to the operational endpoints. @throws ProxyError `unauthenticated`, `not_permitted` */
  operator(headers: HeaderMap): void {
    if (this.#open) return;
    const found = this.#look(headers);
    if (found instanceof ProxyError) throw found;
    if (found.operates) return;
    throw new ProxyError(
      'not_permitted',
      'Cannot show the page: this key may not read it (ops: true in auth.keys allows it)',
    );
  }

  /** Whether a caller may read the operational endpoints. */
  operates(headers: HeaderMap): boolean {
    if (this.#open) return true;
    const found = this.#look(headers);
    return !(found instanceof ProxyError) && found.operates;
  }

  /**
   * Whether a caller may read the content of requests: one that may read the operational endpoints, and not just these
   * (`ops: only`), as a metrics collector may.
   */
  readsContent(headers: HeaderMap): boolean {
    if (this.#open) return true;
    const found = this.#look(headers);
    return !(found instanceof ProxyError) && found.operates && found.asks;
  }

  /**
   * The key of a request that may read the operational endpoints. @throws ProxyError as `operator`, even if everybody
   * may
   */
  operatorKey(headers: HeaderMap): OperatorKey {
    this.operator(headers);
    for (const text of presented(headers)) {
      const secret = this.#secretOf(text);
      if (secret && this.#opens(secret)) return { name: secret.known.name, hash: secret.hash.toHex() };
    }
    throw new ProxyError('unauthenticated', 'Cannot accept the request: the API key is unknown');
  }

  /** The hashes of a key's valid secrets if it may read the operational endpoints; empty otherwise. */
  operatorHashes(name: string): string[] {
    return [...this.#secrets.values()]
      .flat()
      .filter((secret) => secret.known.name === name && this.#opens(secret))
      .map(({ hash }) => hash.toHex());
  }

  /**
   * The caller whose key has this name, for requests to models.
   * @param endpoint as in {@link client}
   * @throws ProxyError if there is none, or it must not call
   */
  asker(name: string, endpoint: Recorded | null): Client {
    return this.#open ? ANYONE : permitted(this.#named(name), endpoint);
  }

  #opens(secret: Secret): boolean {
    return secret.known.operates && !this.#refusalOf(secret);
  }

  #learn(hash: Buffer, known: KnownKey, until: number): void {
    const place = beginningOf(hash);
    const others = this.#secrets.get(place) ?? [];
    // If two keys have the same secret, the first one is used, unless it has expired.
    const same = others.find((other) => timingSafeEqual(other.hash, hash));
    if (same && same.until >= until) return;
    this.#secrets.set(place, [...others.filter((other) => other !== same), { hash, known, until }]);
  }

  /**
   * The key in any of the headers: clients send a placeholder in one and the key in another.
   * @returns the reason for the refusal if no header has a valid key
   */
  #look(headers: HeaderMap): KnownKey | ProxyError {
    // Nearly always it is this one.
    const token = bearer(headers.authorization);
    const secret = token ? this.#secretOf(token) : undefined;
    return secret && !this.#refusalOf(secret) ? secret.known : this.#lookEverywhere(headers);
  }

  #secretOf(text: string): Secret | undefined {
    const hash = hashOf(text);
    for (const secret of this.#secrets.get(beginningOf(hash)) ?? NONE)
      if (timingSafeEqual(secret.hash, hash)) return secret;
    return undefined;
  }

  #lookEverywhere(headers: HeaderMap): KnownKey | ProxyError {
    let refusal: ProxyError | undefined;
    const texts = presented(headers);
    for (const text of texts) {
      const secret = this.#secretOf(text);
      if (!secret) continue;
      const why = this.#refusalOf(secret);
      if (!why) return secret.known;
      refusal = moreSpecific(refusal, why);
    }
    if (refusal) return refusal;
    const certified = this.#certified(headers);
    // A token takes precedence over the certificate, since many users may share a machine with a certificate.
    if (certified && !texts.some((text) => this.#tokens?.claims(text))) return certified;
    return new Refused(
      RECOGNIZED.nothing,
      texts.length === 0
        ? 'Cannot accept the request: no API key, send "Authorization: Bearer KEY"'
        : 'Cannot accept the request: the API key is unknown',
    );
  }

  /** The key that the client certificate is mapped to, or why that key is not valid now. */
  #certified(headers: HeaderMap): KnownKey | ProxyError | undefined {
    if (this.#certs.length === 0) return undefined;
    const names = namesIn(headers);
    const key = names && keyFor(names, this.#certs);
    const known = key === undefined ? undefined : this.#keys.get(key);
    return known && (this.#refusalOf({ known, until: Infinity }) ?? known);
  }

  /** Why a known secret is refused. Only its owner is told. */
  #refusalOf({ known, until }: Pick<Secret, 'known' | 'until'>): ProxyError | undefined {
    const { name, expires, disabled } = known;
    if (!disabled && expires === Infinity && until === Infinity) return undefined;
    const nowMs = this.#clock.now();
    if (disabled)
      return new ProxyError(
        'not_permitted',
        `Cannot accept the request: the API key "${name}" is disabled; ask the operator`,
      );
    if (nowMs >= expires)
      return new Refused(
        RECOGNIZED.meant,
        `Cannot accept the request: the API key "${name}" expired on ${lastDay(expires)}; ask the operator for a new one`,
      );
    if (nowMs < until) return undefined;
    return new Refused(
      RECOGNIZED.meant,
      `Cannot accept the request: the API key "${name}" was rotated, and the old key expired on ${lastDay(until)}`,
    );
  }

  #again({ client, headers, byToken }: Shown): Client {
    if (!byToken || client.key === null) {
      const found = this.#look(headers);
      if (found instanceof ProxyError) throw found;
      return asking(found);
    }
    if (client.token === undefined) return this.#named(client.key);
    if (this.#tokens) return this.#tokens.again(client, client.token);
    throw new Refused(RECOGNIZED.token, 'Cannot accept the token: its issuer is unknown');
  }

  #named(name: string): Client {
    const known = this.#keys.get(name);
    if (!known) throw new Refused(RECOGNIZED.meant, 'Cannot accept the token: it names an unknown key');
    const refusal = this.#refusalOf({ known, until: Infinity });
    if (refusal) throw refusal;
    return asking(known);
  }
}

const HASH_PREFIX = 'sha256:';
const NONE: readonly Secret[] = [];

/** The owner of the only key operates the proxy; if there may be several callers, the message names the operators. */
function isAlone({ keys, keys_file: file, issuers }: Exclude<AuthConfig, 'none' | undefined>): boolean {
  return keys.length === 1 && file === undefined && issuers.length === 0;
}

function knownKey(
  key: KeyConfig,
  { groups, raises, alone }: { groups: Config['groups']; raises: readonly Raise[]; alone: boolean },
): KnownKey {
  const { name, group, models, endpoints, providers, limits, labels, ops = alone } = key;
  const caller: Caller = { key: name, group, models, endpoints, providers, limits, raises, labels };
  return {
    name,
    client: { ...caller, content: key.log, access: accessOf(caller, groups) },
    expires: key.expires ?? Infinity,
    disabled: key.disabled,
    asks: ops !== 'only',
    operates: ops !== false,
  };
}

function asking({ client, asks }: KnownKey): Client {
  if (asks) return client;
  throw new ProxyError('not_permitted', 'Cannot accept the request: this key may only read ops pages');
}

function permitted(client: Client, endpoint: Recorded | null): Client {
  if (endpoint !== null) permitEndpoint(client, endpoint);
  return client;
}

/** The credentials in the headers. */
function presented(headers: HeaderMap): string[] {
  const keys: string[] = [];
  const token = bearer(headers.authorization);
  if (token) keys.push(token);
  for (const name of KEY_HEADERS) {
    const key = headers[name];
    if (key) keys.push(key);
  }
  return keys;
}

/**
 * The caller of the first valid token: clients send a placeholder in one header and the token in another.
 * @param refusal of what is not a token
 */
async function firstValid(tokens: Tokens, texts: readonly string[], refusal: ProxyError): Promise<Client> {
  let why = refusal;
  for (const text of texts) {
    try {
      return await tokens.client(text);
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      why = moreSpecific(why, thrown);
    }
  }
  throw why;
}

/** The hash that `auth.keys` of the configuration or its file contain. */
function hashIn(configured: string): Buffer {
  return Buffer.from(configured.slice(HASH_PREFIX.length), 'hex');
}

const digest = new Uint8Array(32);

/**
 * SHA-256. In a single call, which costs a tenth of an incremental hash.
 * @returns memory that the next call overwrites
 */
function hashOf(key: string): Uint8Array {
  return Bun.SHA256.hash(key, digest) as Uint8Array;
}

/** The first six bytes as a number, which maps find sooner than a text. Hashes that begin alike share a place. */
function beginningOf(hash: Uint8Array): number {
  let beginning = 0;
  for (let index = 0; index < 6; index += 1) beginning = beginning * 256 + hash[index]!;
  return beginning;
}

function bearer(header: string | undefined): string | undefined {
  // As nearly all clients write it.
  if (header?.startsWith('Bearer ')) return header.slice('Bearer '.length).trim();
  return /^bearer\s+(.+)$/i.exec(header ?? '')?.[1]?.trim();
}

/** The last day, in UTC, before a moment. */
function lastDay(ms: number): string {
  return new Date(ms - 1).toISOString().slice(0, 10);
}
