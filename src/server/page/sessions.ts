/**
 * Sign-ins. A browser keeps a token in a cookie that scripts cannot read, in place of the key. The token contains the
 * name of the key and an expiry, and is sealed with a secret of this process and the hash of the key: it becomes
 * invalid when the key is rotated, disabled or expires, and when the proxy restarts. Only signed-out tokens are stored.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { OperatorKey } from '../auth.ts';

/** The lifetime of a token, milliseconds. */
export const SESSION_MS = 12 * 3_600_000;

/** The number of signed-out tokens that are remembered; above it, the one that expires first is dropped. */
const MAX_ENDED = 10_000;

/** The longest token that is examined, characters. */
const MAX_TOKEN = 1_000;

interface Payload {
  /** The name of the key. */
  readonly key: string;
  /** Its expiry, milliseconds since 1970. */
  readonly until: number;
  readonly id: string;
}

export interface SignedIn extends Payload {
  /** The secret of the key that was used to sign in. */
  readonly hash: string;
}

export class Sessions {
  readonly #secret: Uint8Array;
  readonly #now: () => number;
  /** The expiry of each, by id. */
  readonly #ended = new Map<string, number>();

  /** @param secret 32 random bytes, the same for all processes that serve a port */
  constructor(secret: Uint8Array, now: () => number) {
    this.#secret = secret;
    this.#now = now;
  }

  /** Creates a token for a key. */
  begin({ name, hash }: OperatorKey): string {
    const payload: Payload = { key: name, until: this.#now() + SESSION_MS, id: crypto.randomUUID() };
    const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${text}.${this.#seal(text, hash).toString('base64url')}`;
  }

  /**
   * The key that a token belongs to; `undefined` if it is invalid or has expired.
   * @param hashes of the secrets with which a key may sign in now
   */
  look(token: string, hashes: (key: string) => readonly string[]): SignedIn | undefined {
    if (token.length > MAX_TOKEN) return undefined;
    const [text = '', seal = '', ...more] = token.split('.');
    const payload = more.length === 0 ? payloadOf(text) : undefined;
    if (!payload || payload.until <= this.#now() || this.#ended.has(payload.id)) return undefined;
    const given = Buffer.from(seal, 'base64url');
    const hash = hashes(payload.key).find((each) => {
      const own = this.#seal(text, each);
      return own.length === given.length && timingSafeEqual(own, given);
    });
    return hash === undefined ? undefined : { ...payload, hash };
  }

  /** Invalidates a token. */
  end({ id, until }: Pick<SignedIn, 'id' | 'until'>): void {
    const nowMs = this.#now();
    for (const [each, ms] of this.#ended) if (ms <= nowMs) this.#ended.delete(each);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size >= MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.set(id, until);
  }

  #seal(text: string, hash: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${text}.${hash}`).digest();
  }
}

function payloadOf(text: string): Payload | undefined {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString()) as Partial<Payload> | null;
    const { key, until, id } = value ?? {};
    return typeof key === 'string' && typeof until === 'number' && typeof id === 'string'
      ? { key, until, id }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
