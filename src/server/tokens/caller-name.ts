import { createHash } from 'node:crypto';

/** Longest identity that is kept as it is, characters: a UUID, an address or the name of a service account fits. */
const MAX_IDENTITY = 128;
const KEPT = /^[\w.@+=|/:-]+$/;
const HASH_DIGITS = 16;

/**
 * What a caller is called in logs, metrics and limits: "corp:alice". No key has a colon in its name. An identity with odd
 * characters, or too long a one, is told from others alike by a part of its hash.
 */
export function callerName(issuer: string, identity: string): string {
  if (identity.length <= MAX_IDENTITY && KEPT.test(identity)) return `${issuer}:${identity}`;
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, HASH_DIGITS);
  const shown = identity.slice(0, MAX_IDENTITY - HASH_DIGITS - 1).replaceAll(/[^\w.@+=|/:-]/g, '_');
  return `${issuer}:${shown}~${hash}`;
}
