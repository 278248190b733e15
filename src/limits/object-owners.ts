import type { Database } from 'bun:sqlite';

/** Who had a provider store an object, such as a response, and which provider. */
export interface StoredObject {
  /** The name of the key. */
  readonly owner: string;
  readonly provider: string;
}

/** Objects by their ids. */
type Objects = Map<string, StoredObject>;

/** The most objects that are remembered in memory, and in the file. */
const MOST_UNKEPT = 10_000;
const MOST_KEPT = 100_000;

/** The share of the file that is freed at once when it is full. */
const FREED = 1 / 100;

/**
 * Who had providers store what, so that nobody else reaches it: what is persisted, and what was noted since. An owner
 * that is known never changes.
 */
export class ObjectOwners {
  readonly #kept: ((id: string) => StoredObject | undefined) | undefined;
  readonly #changed: () => void;
  #since: Objects = new Map();

  /**
   * @param kept reads a persisted object; omitted if nothing is persisted
   * @param changed called when there is something to persist
   */
  constructor(kept?: (id: string) => StoredObject | undefined, changed: () => void = () => undefined) {
    this.#kept = kept;
    this.#changed = changed;
  }

  /** @throws as SQLite does */
  get(id: string): StoredObject | undefined {
    return this.#kept?.(id) ?? this.#since.get(id);
  }

  note(id: string, object: StoredObject): void {
    this.#add(id, object);
    this.#changed();
  }

  /** Takes what was noted, in order to persist it. */
  take(): ReadonlyMap<string, StoredObject> {
    const taken = this.#since;
    this.#since = new Map();
    return taken;
  }

  /** Returns what was taken, because it could not be persisted. */
  giveBack(taken: ReadonlyMap<string, StoredObject>): void {
    const later = this.take();
    for (const objects of [taken, later]) for (const [id, object] of objects) this.#add(id, object);
  }

  #add(id: string, object: StoredObject): void {
    const known = this.#since.get(id);
    if (known && known.owner !== object.owner) return;
    this.#since.delete(id);
    this.#since.set(id, object);
    if (this.#since.size <= MOST_UNKEPT) return;
    const [oldest] = this.#since.keys();
    this.#since.delete(oldest!);
  }
}

export const OBJECTS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, provider TEXT NOT NULL, at REAL NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS objects_by_age ON objects (owner, at);
`;

/** @throws as SQLite does */
export function readObject(db: Database, id: string): StoredObject | undefined {
  const query = db.query<StoredObject, [string]>('SELECT owner, provider FROM objects WHERE id = ?');
  return query.get(id) ?? undefined;
}

/** Persists an object, unless another owner has it. Within a transaction. */
export function putObject(db: Database, id: string, { owner, provider }: StoredObject, nowMs: number): void {
  db.query(
    `INSERT INTO objects VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET provider = excluded.provider, at = excluded.at WHERE owner = excluded.owner`,
  ).run(id, owner, provider, nowMs);
}

/**
 * Forgets the oldest objects of the owner that has most of them, until no more are left than may be kept: nobody can
 * displace what others have stored. Within a transaction.
 */
export function trimObjects(db: Database, most: number = MOST_KEPT): void {
  let { count } = db.query<{ count: number }, []>('SELECT COUNT(*) AS count FROM objects').get()!;
  const largest = db.query<{ owner: string; count: number }, []>(
    'SELECT owner, COUNT(*) AS count FROM objects GROUP BY owner ORDER BY count DESC LIMIT 1',
  );
  const remove = db.query(
    'DELETE FROM objects WHERE id IN (SELECT id FROM objects WHERE owner = ? ORDER BY at LIMIT ?)',
  );
  while (count > most) {
    const { owner, count: own } = largest.get()!;
    const removed = Math.min(own, count - most + Math.floor(most * FREED));
    remove.run(owner, removed);
    count -= removed;
  }
}
