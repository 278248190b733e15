import { createHash } from 'node:crypto';

const HEADER = 'idempotency-key';

/**
 * Scopes the idempotency key by the client's key: all clients share an account at the provider, where one of them could
 * otherwise receive the answer to another's request. Equal keys of one client stay equal.
 * @param key name of the client's key; `null` if there is none, and nothing changes
 */
export function scopeByKey(headers: Record<string, string>, key: string | null): void {
  const given = headers[HEADER];
  if (given === undefined || key === null) return;
  // Names of keys contain no line breaks.
  headers[HEADER] = createHash('sha256').update(`${key}\n${given}`).digest('hex');
}
