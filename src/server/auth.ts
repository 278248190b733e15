import type { Config, LogContent } from '../config/schema.ts';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderMap } from '../wire/headers.ts';
import { ProxyError } from '../errors.ts';

/** A caller that may use the proxy. */
export interface Client {
  /** Name of its key; `null` when the proxy is open. */
  readonly key: string | null;
  /** What the log keeps of its requests, where its key says so. */
  readonly content: LogContent | undefined;
}

interface KnownKey {
  readonly client: Client;
  readonly hash: Buffer;
  /** Whether it may send requests to models. */
  readonly asks: boolean;
  /** Whether it may read the pages about the inside. */
  readonly operates: boolean;
}

const ANYONE: Client = { key: null, content: undefined };

/** Headers besides `Authorization` in which the SDKs of Anthropic, Azure and Google send their key. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'];

/** Decides who a request comes from, by the hashes of the configured keys. The keys themselves are not kept. */
export class Authenticator {
  readonly #keys: readonly KnownKey[];
  readonly #open: boolean;

  /** @param secret gives the key of a `key_env` */
  constructor(auth: Config['auth'], secret: (variable: string) => string | undefined) {
    this.#open = auth === undefined || auth === 'none';
    const keys = auth === undefined || auth === 'none' ? [] : auth.keys;
    // Who has the only key runs the proxy; among several, those who do are named.
    const alone = keys.length === 1;
    this.#keys = keys.flatMap(({ name, key, key_env, hash: written, log: content, ops = alone }) => {
      const plain = key ?? (key_env === undefined ? undefined : secret(key_env));
      const hash = written
        ? Buffer.from(written.slice('sha256:'.length), 'hex')
        : plain
          ? digest(plain)
          : undefined;
      const client = { key: name, content };
      return hash ? [{ client, hash, asks: ops !== 'only', operates: ops !== false }] : [];
    });
  }

  /** Whether everyone may call. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Who sends a request to a model.
   * @throws ProxyError `unauthenticated`, or `not_permitted` for a key of the pages about the inside alone
   */
  client(headers: HeaderMap): Client {
    if (this.#open) return ANYONE;
    const { client, asks } = this.#known(headers);
    if (asks) return client;
    throw new ProxyError('not_permitted', 'Cannot accept the request: this key reads ops pages only');
  }

  /** Lets those pass who may read the pages about the inside. @throws ProxyError `unauthenticated`, `not_permitted` */
  operator(headers: HeaderMap): void {
    if (this.#open || this.#known(headers).operates) return;
    throw new ProxyError(
      'not_permitted',
      'Cannot show the page: this key may not read it (ops: true in auth.keys allows it)',
    );
  }

  /** Whether a caller may read the pages about the inside. */
  operates(headers: HeaderMap): boolean {
    return this.#open || (this.#find(headers)?.operates ?? false);
  }

  #known(headers: HeaderMap): KnownKey {
    const found = this.#find(headers);
    if (found) return found;
    const none = presented(headers).length === 0;
    throw new ProxyError(
      'unauthenticated',
      none
        ? 'Cannot accept the request: no API key, send "Authorization: Bearer KEY"'
        : 'Cannot accept the request: the API key is not known here',
    );
  }

  /** The key that any of the headers holds: clients send a placeholder in one and the key in another. */
  #find(headers: HeaderMap): KnownKey | undefined {
    let found: KnownKey | undefined;
    // Every key is compared, so that the time taken says nothing.
    for (const hash of presented(headers).map(digest))
      for (const known of this.#keys) if (timingSafeEqual(known.hash, hash)) found ??= known;
    return found;
  }
}

/** What stands where a key may stand. */
function presented(headers: HeaderMap): string[] {
  const keys = [bearer(headers.authorization), ...KEY_HEADERS.map((name) => headers[name])];
  return keys.filter((key): key is string => typeof key === 'string' && key !== '');
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function bearer(header: string | undefined): string | undefined {
  return /^bearer\s+(.+)$/i.exec(header ?? '')?.[1]?.trim();
}
