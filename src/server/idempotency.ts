import { createHash } from 'node:crypto';

const HEADER = 'idempotency-key';

/**
 * Headers that travel, with the idempotency key scoped by the client's key: all clients share the account at the
 * provider, where one could otherwise be given the answer to another's request. The same key stays the same.
 * @param key name of the client's key; `null` where there is none, and nothing changes
 */
export function scopedByKey(
  headers: Readonly<Record<string, string>>,
  key: string | null,
): Readonly<Record<string, string>> {
  const given = headers[HEADER];
  if (given === undefined || key === null) return headers;
  // No name of a key holds a line break.
  return { ...headers, [HEADER]: createHash('sha256').update(`${key}\n${given}`).digest('hex') };
}
