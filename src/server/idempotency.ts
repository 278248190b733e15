import { createHash } from 'node:crypto';

const HEADER = 'idempotency-key';

/**
 * Scopes the idempotency key among headers that travel by the client's key: all clients share the account at the
 * provider, where one could otherwise be given the answer to another's request. The same key stays the same.
 * @param key name of the client's key; `null` where there is none, and nothing changes
 */
export function scopeByKey(headers: Record<string, string>, key: string | null): void {
  const given = headers[HEADER];
  if (given === undefined || key === null) return;
  // No name of a key holds a line break.
  headers[HEADER] = createHash('sha256').update(`${key}\n${given}`).digest('hex');
}
