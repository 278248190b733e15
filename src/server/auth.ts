import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { AuthConfig, KeyConfig, Raise } from '../config/auth-schema.ts';
import type { Config, LogContent } from '../config/schema.ts';
import type { ClientCertConfig } from '../config/socket-schema.ts';
import type { Access } from '../limits/access.ts';
import type { Caller } from '../limits/caller.ts';
import type { Recorded } from '../wire/endpoints.ts';
import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';
import { accessOf } from '../limits/access.ts';
import { permitEndpoint } from './permit.ts';
import { keyFor, namesIn } from './tls/client-certificate.ts';

/** A caller that may use the proxy. There is one object for each caller of a configuration. */
export interface Client extends Caller {
  /** What the log keeps of its requests, where its key says so. */
  readonly content: LogContent | undefined;
  readonly access: Access;
}

/** Takes tokens of identity providers in place of keys. */
export interface Tokens {
  /** Whether a text may be a token. */
  readonly resembles: (text: string) => boolean;
  /**
   * Whose token it is; at once where it was seen before.
   * @throws ProxyError `unauthenticated`, `not_permitted`, or `unavailable` while its issuer's keys cannot be had
   */
  readonly client: (token: string) => Client | Promise<Client>;
}

/** What tokens may lead to. */
export interface KnownKeys {
  /** The caller whose key has this name. @throws ProxyError where there is none, or it may not ask */
  readonly named: (name: string) => Client;
}

export interface AuthDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Gives the key of a `key_env`. */
  readonly secret: (variable: string) => string | undefined;
  /** Makes what takes tokens; left out where there are no issuers. */
  readonly tokens?: ((keys: KnownKeys) => Tokens) | undefined;
}

interface KnownKey {
  readonly name: string;
  readonly client: Client;
  /** When it ends, milliseconds since 1970. */
  readonly expires: number;
  readonly disabled: boolean;
  /** Whether it may send requests to models. */
  readonly asks: boolean;
  /** Whether it may read the pages about the inside. */
  readonly operates: boolean;
}

/** A secret that is known by its hash. */
interface Secret {
  readonly hash: Buffer;
  readonly known: KnownKey;
  /** When another took its place, milliseconds since 1970; `Infinity` for the one in force. */
  readonly until: number;
}

/** A key that may read the pages about the inside. */
export interface OperatorKey {
  readonly name: string;
  /** SHA-256 of its secret, in hex. */
  readonly hash: string;
}

const ANYONE: Client = {
  key: null,
  group: undefined,
  models: undefined,
  endpoints: undefined,
  providers: undefined,
  limits: [],
  raises: [],
  labels: {},
  content: undefined,
  access: accessOf({ group: undefined, models: undefined, endpoints: undefined, providers: undefined }, {}),
};

/** The part of the configuration that says who may call. */
export type AuthSource = Pick<Config, 'auth' | 'groups'> & Partial<Pick<Config, 'server'>>;

/** Headers besides `Authorization` in which the SDKs of Anthropic, Azure and Google send their key. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'];

/** Decides who a request comes from, by the hashes of the configured keys. The keys themselves are not kept. */
export class Authenticator {
  /** By hash in hex, so that a request costs the same with one key and with thousands. */
  readonly #secrets = new Map<string, Secret>();
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
      const hash = key.hash?.slice(HASH_PREFIX.length) ?? (plain ? hashOf(plain).toHex() : undefined);
      if (hash !== undefined) this.#learn(hash, known, Infinity);
      for (const { hash: former, until } of key.previous ?? [])
        this.#learn(former.slice(HASH_PREFIX.length), known, until);
    }
    this.#tokens = tokens?.({ named: (name) => this.#named(name) });
  }

  /** Whether everyone may call. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Who sends a request; a promise only where a token has to be looked at.
   * @param endpoint what it is for, which the lists of the caller must allow; `null` for what no list covers
   * @throws ProxyError `unauthenticated`, `not_permitted`; `unavailable` where a token cannot be looked at
   */
  client(headers: HeaderMap, endpoint: Recorded | null): Client | Promise<Client> {
    if (this.#open) return ANYONE;
    const found = this.#look(headers);
    if (!(found instanceof ProxyError)) return permitted(asking(found), endpoint);
    const tokens = this.#tokens;
    const token = tokens && presented(headers).find(tokens.resembles);
    if (token === undefined) throw found;
    const client = tokens!.client(token);
    return client instanceof Promise
      ? client.then((each) => permitted(each, endpoint))
      : permitted(client, endpoint);
  }

  /** What a request shows as a key, whether or not it is one. */
  shown(headers: HeaderMap): readonly string[] {
    return presented(headers);
  }

  /** Who has the key of this name, whether or not it works now. */
  named(key: string): Client | undefined {
    return this.#keys.get(key)?.client;
  }

  /** Lets those pass who may read the pages about the inside. @throws ProxyError `unauthenticated`, `not_permitted` */
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

  /** Whether a caller may read the pages about the inside. */
  operates(headers: HeaderMap): boolean {
    if (this.#open) return true;
    const found = this.#look(headers);
    return !(found instanceof ProxyError) && found.operates;
  }

  /**
   * Whether a caller may read what people and models wrote: one that reads the pages about the inside, and is no mere observer
   * (`ops: only`), as a collector of metrics is.
   */
  readsContent(headers: HeaderMap): boolean {
    if (this.#open) return true;
    const found = this.#look(headers);
    return !(found instanceof ProxyError) && found.operates && found.asks;
  }

  /** The key of a request that may read the pages about the inside. @throws ProxyError as `operator`, also where everyone may */
  operatorKey(headers: HeaderMap): OperatorKey {
    this.operator(headers);
    for (const text of presented(headers)) {
      const hash = hashOf(text).toHex();
      const secret = this.#secrets.get(hash);
      if (secret && this.#opens(secret)) return { name: secret.known.name, hash };
    }
    throw new ProxyError('unauthenticated', 'Cannot accept the request: the API key is unknown');
  }

  /** The hashes of the secrets by which a key may read the pages about the inside now; none where it may not. */
  operatorHashes(name: string): string[] {
    return [...this.#secrets]
      .filter(([, secret]) => secret.known.name === name && this.#opens(secret))
      .map(([hash]) => hash);
  }

  /**
   * Who asks models by the key of this name.
   * @param endpoint as in {@link client}
   * @throws ProxyError where there is none, or it may not ask
   */
  asker(name: string, endpoint: Recorded | null): Client {
    return this.#open ? ANYONE : permitted(this.#named(name), endpoint);
  }

  #opens(secret: Secret): boolean {
    return secret.known.operates && !this.#refusalOf(secret);
  }

  #learn(hash: string, known: KnownKey, until: number): void {
    // Of two with the same secret the first counts, unless it has ended in favour of another.
    const other = this.#secrets.get(hash);
    if (other && other.until >= until) return;
    this.#secrets.set(hash, { hash: Buffer.from(hash, 'hex'), known, until });
  }

  /**
   * The key that any of the headers holds: clients send a placeholder in one and the key in another.
   * @returns why there is none where no header holds one that works
   */
  #look(headers: HeaderMap): KnownKey | ProxyError {
    let refusal: ProxyError | undefined;
    const texts = presented(headers);
    for (const text of texts) {
      const hash = hashOf(text);
      const secret = this.#secrets.get(hash.toHex());
      if (!secret || !timingSafeEqual(secret.hash, hash)) continue;
      const why = this.#refusalOf(secret);
      if (!why) return secret.known;
      refusal ??= why;
    }
    if (refusal) return refusal;
    const certified = this.#certified(headers);
    // A token says who asks, also where many send theirs through one machine with its certificate.
    if (certified && !texts.some((text) => this.#tokens?.resembles(text))) return certified;
    return new ProxyError(
      'unauthenticated',
      texts.length === 0
        ? 'Cannot accept the request: no API key, send "Authorization: Bearer KEY"'
        : 'Cannot accept the request: the API key is unknown',
    );
  }

  /** The key that the certificate of the connection stands for, or why it does not let in now. */
  #certified(headers: HeaderMap): KnownKey | ProxyError | undefined {
    if (this.#certs.length === 0) return undefined;
    const names = namesIn(headers);
    const key = names && keyFor(names, this.#certs);
    const known = key === undefined ? undefined : this.#keys.get(key);
    return known && (this.#refusalOf({ known, until: Infinity }) ?? known);
  }

  /** Why a secret that is known does not let in. Only who has it is told. */
  #refusalOf({ known, until }: Pick<Secret, 'known' | 'until'>): ProxyError | undefined {
    const { name, expires, disabled } = known;
    const nowMs = this.#clock.now();
    if (disabled)
      return new ProxyError(
        'not_permitted',
        `Cannot accept the request: the API key "${name}" is disabled; ask the operator`,
      );
    if (nowMs >= expires)
      return new ProxyError(
        'unauthenticated',
        `Cannot accept the request: the API key "${name}" expired on ${lastDay(expires)}; ask the operator for a new one`,
      );
    if (nowMs < until) return undefined;
    return new ProxyError(
      'unauthenticated',
      `Cannot accept the request: the API key "${name}" was rotated, and the old key expired on ${lastDay(until)}`,
    );
  }

  #named(name: string): Client {
    const known = this.#keys.get(name);
    if (!known) throw new ProxyError('unauthenticated', 'Cannot accept the token: it names an unknown key');
    const refusal = this.#refusalOf({ known, until: Infinity });
    if (refusal) throw refusal;
    return asking(known);
  }
}

const HASH_PREFIX = 'sha256:';

/** Who has the only key runs the proxy; where there may be several callers, those who do are named. */
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

/** What stands where a key may stand. */
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

/** SHA-256. In one call, which costs a tenth of one that could go on. */
function hashOf(key: string): Uint8Array {
  return Bun.SHA256.hash(key) as Uint8Array;
}

function bearer(header: string | undefined): string | undefined {
  return /^bearer\s+(.+)$/i.exec(header ?? '')?.[1]?.trim();
}

/** The last day, in UTC, before a moment. */
function lastDay(ms: number): string {
  return new Date(ms - 1).toISOString().slice(0, 10);
}
