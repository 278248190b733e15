import { timingSafeEqual } from 'node:crypto';
import type { KnownKey } from './known-key.ts';

/** A secret, known by its hash. */
export interface Secret {
  readonly hash: Buffer;
  readonly known: KnownKey;
  /** When it was replaced by another, milliseconds since 1970; `Infinity` for the current one. */
  readonly until: number;
}

const HASH_PREFIX = 'sha256:';
const NONE: readonly Secret[] = [];

/** The secrets of keys, known by their hashes. The secrets themselves are not kept. */
export class KeySecrets {
  /** By the beginning of their hash, so that the cost of a request does not depend on the number of keys. */
  readonly #secrets = new Map<number, Secret[]>();

  /** @param until when it was replaced by another, milliseconds since 1970; `Infinity` for the current one */
  add(hash: Buffer, known: KnownKey, until: number): void {
    const place = beginningOf(hash);
    const others = this.#secrets.get(place) ?? [];
    // If two keys have the same secret, the first one is used, unless it has expired.
    const same = others.find((other) => timingSafeEqual(other.hash, hash));
    if (same && same.until >= until) return;
    this.#secrets.set(place, [...others.filter((other) => other !== same), { hash, known, until }]);
  }

  /** The secret with this text, whether or not it is valid. */
  of(text: string): Secret | undefined {
    const hash = hashOf(text);
    for (const secret of this.#secrets.get(beginningOf(hash)) ?? NONE)
      if (timingSafeEqual(secret.hash, hash)) return secret;
    return undefined;
  }

  all(): Secret[] {
    return [...this.#secrets.values()].flat();
  }
}

/** The hash that `auth.keys` of the configuration or its file contain. */
export function hashIn(configured: string): Buffer {
  return Buffer.from(configured.slice(HASH_PREFIX.length), 'hex');
}

const digest = new Uint8Array(32);

/**
 * SHA-256. In a single call, which costs a tenth of an incremental hash.
 * @returns memory that the next call overwrites
 */
export function hashOf(key: string): Uint8Array {
  return Bun.SHA256.hash(key, digest) as Uint8Array;
}

/** The first six bytes as a number, which maps find sooner than a text. Hashes that begin alike share a place. */
function beginningOf(hash: Uint8Array): number {
  let beginning = 0;
  for (let index = 0; index < 6; index += 1) beginning = beginning * 256 + hash[index]!;
  return beginning;
}
