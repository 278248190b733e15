import type { Config, LogContent } from '../config/schema.ts';
import { createHash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../errors.ts';

/** A caller that may use the proxy. */
export interface Client {
  /** Name of its key; `null` when the proxy is open. */
  readonly key: string | null;
  /** What the log keeps of its requests, where its key says so. */
  readonly content: LogContent | undefined;
}

interface KnownKey extends Client {
  readonly hash: Buffer;
}

const ANYONE: Client = { key: null, content: undefined };

/** Decides who a request comes from, by the hashes of the configured keys. The keys themselves are not kept. */
export class Authenticator {
  readonly #keys: readonly KnownKey[];
  readonly #open: boolean;

  /** @param secret gives the key of a `key_env` */
  constructor(auth: Config['auth'], secret: (variable: string) => string | undefined) {
    this.#open = auth === undefined || auth === 'none';
    const keys = auth === undefined || auth === 'none' ? [] : auth.keys;
    this.#keys = keys.flatMap(({ name, key, key_env, key_sha256, content }) => {
      const plain = key ?? (key_env === undefined ? undefined : secret(key_env));
      const hash = key_sha256 ? Buffer.from(key_sha256, 'hex') : plain ? digest(plain) : undefined;
      return hash ? [{ key: name, content, hash }] : [];
    });
  }

  /** Whether everyone may call. */
  get open(): boolean {
    return this.#open;
  }

  /** @throws ProxyError `unauthenticated` */
  client(headers: Headers): Client {
    if (this.#open) return ANYONE;
    const presented = bearer(headers.get('authorization')) ?? headers.get('x-api-key');
    if (!presented) {
      throw new ProxyError(
        'unauthenticated',
        'Cannot accept the request: no API key, send "Authorization: Bearer KEY"',
      );
    }
    const hash = digest(presented);
    // Every key is compared, so that the time taken says nothing.
    let found: Client | undefined;
    for (const known of this.#keys) if (timingSafeEqual(known.hash, hash)) found ??= known;
    if (!found)
      throw new ProxyError('unauthenticated', 'Cannot accept the request: the API key is not known here');
    return found;
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function bearer(header: string | null): string | undefined {
  return /^bearer\s+(.+)$/i.exec(header ?? '')?.[1]?.trim();
}
