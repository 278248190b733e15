import { createHash } from 'node:crypto';

/**
 * The longest identity that is kept unchanged, characters: a UUID, an address or the name of a service account fits.
 */
const MAX_IDENTITY = 128;
const KEPT = /^[\w.@+=|/:-]+$/;
const HASH_DIGITS = 16;

/**
 * The name of a caller in logs, metrics and limits: "corp:alice". Names of keys contain no colon. An identity with
 * unusual characters, or one that is too long, is shortened and made unique by a part of its hash.
 */
export function callerName(issuer: string, identity: string): string {
  if (identity.length <= MAX_IDENTITY && KEPT.test(identity)) return `${issuer}:${identity}`;
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, HASH_DIGITS);
  const shown = identity.slice(0, MAX_IDENTITY - HASH_DIGITS - 1).replaceAll(/[^\w.@+=|/:-]/g, '_');
  return `${issuer}:${shown}~${hash}`;
}
