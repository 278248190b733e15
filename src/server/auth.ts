import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { ClientCertConfig } from '../config/schema/socket.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Client, Shown } from './client.ts';
import type { Secret } from './key-secrets.ts';
import type { KnownKey } from './known-key.ts';
import type { KnownKeys, Tokens } from './tokens/tokens.ts';
import { ProxyError } from '../errors.ts';
import { ANYONE } from './client.ts';
import { bearer, presented } from './credentials.ts';
import { hashIn, hashOf, KeySecrets } from './key-secrets.ts';
import { asking, isAlone, knownKey, refusalOf } from './known-key.ts';
import { permitEndpoint } from './permit.ts';
import { moreSpecific, RECOGNIZED, Refused, specificityOf } from './refused.ts';
import { keyFor, namesIn } from './tls/client-certificate.ts';
import { firstValid } from './tokens/tokens.ts';

export interface AuthDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Returns the key of a `key_env`. */
  readonly secret: (variable: string) => string | undefined;
  /** Creates the verifier of tokens; omitted if there are no issuers. */
  readonly tokens?: ((keys: KnownKeys) => Tokens) | undefined;
}

/** A key that may read the operational endpoints. */
export interface OperatorKey {
  readonly name: string;
  /** SHA-256 of its secret, in hex. */
  readonly hash: string;
}

/** The part of the configuration that defines who may call. */
export type AuthSource = Pick<Config, 'auth' | 'groups'> & Partial<Pick<Config, 'server'>>;

/** Determines who sent a request, by the hashes of the configured keys. The keys themselves are not kept. */
export class Authenticator {
  readonly #secrets = new KeySecrets();
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
      if (hash) this.#secrets.add(hash, known, Infinity);
      for (const { hash: former, until } of key.previous ?? [])
        this.#secrets.add(hashIn(former), known, until);
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
      const secret = this.#secrets.of(text);
      if (secret && this.#opens(secret)) return { name: secret.known.name, hash: secret.hash.toHex() };
    }
    throw new ProxyError('unauthenticated', 'Cannot accept the request: the API key is unknown');
  }

  /** The hashes of a key's valid secrets if it may read the operational endpoints; empty otherwise. */
  operatorHashes(name: string): string[] {
    return this.#secrets
      .all()
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
    return secret.known.operates && !refusalOf(secret.known, secret.until, this.#clock);
  }

  /**
   * The key in any of the headers: clients send a placeholder in one and the key in another.
   * @returns the reason for the refusal if no header has a valid key
   */
  #look(headers: HeaderMap): KnownKey | ProxyError {
    // Nearly always it is this one.
    const token = bearer(headers.authorization);
    const secret = token ? this.#secrets.of(token) : undefined;
    return secret && !refusalOf(secret.known, secret.until, this.#clock)
      ? secret.known
      : this.#lookEverywhere(headers);
  }

  #lookEverywhere(headers: HeaderMap): KnownKey | ProxyError {
    let refusal: ProxyError | undefined;
    const texts = presented(headers);
    for (const text of texts) {
      const secret = this.#secrets.of(text);
      if (!secret) continue;
      const why = refusalOf(secret.known, secret.until, this.#clock);
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
    return known && (refusalOf(known, Infinity, this.#clock) ?? known);
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
    const refusal = refusalOf(known, Infinity, this.#clock);
    if (refusal) throw refusal;
    return asking(known);
  }
}

function permitted(client: Client, endpoint: Recorded | null): Client {
  if (endpoint !== null) permitEndpoint(client, endpoint);
  return client;
}
