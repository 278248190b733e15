import type { Database } from 'bun:sqlite';

interface Oldest {
  readonly kind: 'response' | 'conversation';
  readonly id: string;
}

/** Thrown when there is no room unless owners with less data lose some. */
export class NoRoom extends Error {
  constructor() {
    super('there is not enough space left (responses.max_size)');
  }
}

/**
 * Makes room for what an owner is about to store. The owner with the most data, counting the new entry, loses its
 * oldest entries, so that storing much does not delete what others have stored. Within a transaction.
 * @throws NoRoom
 */
export function makeRoom(
  db: Database,
  { owner, bytes }: { owner: string; bytes: number },
  maxBytes: number,
): void {
  const total = db.query<{ bytes: number }, []>('SELECT COALESCE(SUM(bytes), 0) bytes FROM owners');
  const own = db.query<{ bytes: number }, [string]>('SELECT bytes FROM owners WHERE owner = ?');
  const largest = db.query<{ owner: string; bytes: number }, [string]>(
    'SELECT owner, bytes FROM owners WHERE owner <> ? ORDER BY bytes DESC LIMIT 1',
  );
  while (total.get()!.bytes + bytes > maxBytes) {
    const other = largest.get(owner);
    const isOthers = other !== null && isOthersTurn(other.bytes, (own.get(owner)?.bytes ?? 0) + bytes);
    if (!removeOldest(db, isOthers ? other.owner : owner)) throw new NoRoom();
  }
}

/**
 * Whether another owner, rather than the one that stores something, has the most data. @param own including the new
 * entry, bytes
 */
export function isOthersTurn(largest: number, own: number): boolean {
  return largest > own;
}

/** @returns whether there was one */
function removeOldest(db: Database, owner: string): boolean {
  const oldest = db
    .query<Oldest, [string, string]>(
      `SELECT kind, id FROM (
         SELECT * FROM (SELECT 'response' kind, id, created at FROM responses WHERE owner = ?1 ORDER BY created LIMIT 1)
         UNION ALL
         SELECT * FROM (SELECT 'conversation' kind, id, used at FROM conversations WHERE owner = ?2 ORDER BY used LIMIT 1)
       ) ORDER BY at LIMIT 1`,
    )
    .get(owner, owner);
  if (!oldest) return db.query('DELETE FROM owners WHERE owner = ?').run(owner).changes > 0;
  if (oldest.kind === 'response') {
    db.query('DELETE FROM events WHERE owner = ? AND response = ?').run(owner, oldest.id);
    db.query('DELETE FROM responses WHERE owner = ? AND id = ?').run(owner, oldest.id);
  } else {
    db.query('DELETE FROM items WHERE owner = ? AND conversation = ?').run(owner, oldest.id);
    db.query('DELETE FROM conversations WHERE owner = ? AND id = ?').run(owner, oldest.id);
  }
  return true;
}
