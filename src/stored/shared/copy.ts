import type { Database } from 'bun:sqlite';
import type { Entity, Kind, News, Part, Text, Version } from './entity.ts';
import { makeRoom } from '../room.ts';
import { UNKNOWN } from './entity.ts';

/** The file's record about a shared entity. */
export interface Known {
  readonly version: Version;
  /** What still has to be sent to the server: a change, the removal, or nothing. */
  readonly owes: '' | 'change' | 'removal';
}

/** The parts of an entity that were changed. */
export interface Change {
  readonly entity: Entity;
  readonly parts: ReadonlySet<Part>;
}

/** The size, age and end of an entity, for the account on the server. */
export interface Extent {
  readonly bytes: number;
  /** The oldest are deleted first if there is too little room, epoch milliseconds. */
  readonly ageMs: number;
  readonly untilMs: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS copies (
    kind TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL, owes TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id)
  ) WITHOUT ROWID;
  CREATE TEMP TABLE changed (
    kind TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL, part NOT NULL, PRIMARY KEY (kind, owner, id, part)
  ) WITHOUT ROWID;
`;

/** The columns of each kind that are sent together, as JSON. */
const META: Readonly<Record<Kind, readonly string[]>> = {
  response: [
    'created',
    'until',
    'status',
    'previous',
    'conversation',
    'issuer',
    'issued',
    'background',
    'streams',
    'cancelled',
    'runner',
  ],
  conversation: ['created', 'used', 'until'],
};

/** The columns of each kind that are sent separately, by the names of their texts. */
const COLUMNS: Readonly<Record<Kind, Readonly<Partial<Record<Text, string>>>>> = {
  response: { input: 'input', body: 'body' },
  conversation: { body: 'metadata' },
};

const TABLES: Readonly<Record<Kind, string>> = { response: 'responses', conversation: 'conversations' };
const ITEMS: Readonly<Record<Kind, { readonly table: string; readonly of: string }>> = {
  response: { table: 'events', of: 'response' },
  conversation: { table: 'items', of: 'conversation' },
};

/** Triggers that note every change, so that the code which makes the changes need not know that they are shared. */
function noting(): string {
  const statements: string[] = [];
  const note = (
    name: string,
    when: string,
    of: { kind: Kind; id: string; row: 'NEW' | 'OLD' },
    part: string,
  ) =>
    statements.push(
      `CREATE TEMP TRIGGER noted_${of.kind}_${name} ${when} BEGIN
         INSERT OR IGNORE INTO changed VALUES ('${of.kind}', ${of.row}.owner, ${of.row}.${of.id}, ${part});
       END;`,
    );
  for (const kind of ['response', 'conversation'] as const) {
    const table = `main.${TABLES[kind]}`;
    const isNew = { kind, id: 'id', row: 'NEW' } as const;
    for (const [part, columns] of partsOf(kind)) {
      const differs = columns.map((column) => `NEW.${column} IS NOT OLD.${column}`).join(' OR ');
      note(
        `${part}_changed`,
        `AFTER UPDATE OF ${columns.join(', ')} ON ${table} WHEN ${differs}`,
        isNew,
        `'${part}'`,
      );
      note(`${part}_added`, `AFTER INSERT ON ${table}`, isNew, `'${part}'`);
    }
    note('removed', `AFTER DELETE ON ${table}`, { kind, id: 'id', row: 'OLD' }, "'meta'");
    const { table: items, of: id } = ITEMS[kind];
    note('item_added', `AFTER INSERT ON main.${items}`, { kind, id, row: 'NEW' }, 'NEW.number');
    note('item_removed', `AFTER DELETE ON main.${items}`, { kind, id, row: 'OLD' }, 'OLD.number');
  }
  return statements.join('\n');
}

/** The columns that each part of a kind is made of. */
function partsOf(kind: Kind): (readonly [Part, readonly string[]])[] {
  const texts = Object.entries(COLUMNS[kind]).map(([text, column]) => [text as Text, [column]] as const);
  return [['meta', META[kind]], ...texts, ...(kind === 'response' ? [['beat', ['beat']] as const] : [])];
}

/**
 * The entities in this machine's file, as copies of those on the server: which versions they have, and what still has
 * to be sent.
 */
export class Copy {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    db.run(SCHEMA);
    db.run(noting());
  }

  has({ kind, owner, id }: Entity): boolean {
    return this.#db.query(`SELECT 1 FROM ${TABLES[kind]} WHERE owner = ? AND id = ?`).get(owner, id) !== null;
  }

  /** The response from which a response continues, and the conversation it belongs to. */
  linksOf(owner: string, id: string): { previous: string | null; conversation: string | null } | null {
    return this.#db
      .query<{ previous: string | null; conversation: string | null }, [string, string]>(
        'SELECT previous, conversation FROM responses WHERE owner = ? AND id = ?',
      )
      .get(owner, id);
  }

  known({ kind, owner, id }: Entity): Known | undefined {
    const row = this.#db
      .query<{ version: string; owes: Known['owes'] }, [string, string, string]>(
        'SELECT version, owes FROM copies WHERE kind = ? AND owner = ? AND id = ?',
      )
      .get(kind, owner, id);
    return row ? { version: JSON.parse(row.version) as Version, owes: row.owes } : undefined;
  }

  note({ kind, owner, id }: Entity, { version, owes }: Known): void {
    this.#db
      .query('INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?)')
      .run(kind, owner, id, JSON.stringify(version), owes);
  }

  forget({ kind, owner, id }: Entity): void {
    this.#db.query('DELETE FROM copies WHERE kind = ? AND owner = ? AND id = ?').run(kind, owner, id);
  }

  /** The changes since the last call. */
  changes(): Change[] {
    const rows = this.#db
      .query<Entity & { part: Part }, []>('DELETE FROM changed RETURNING kind, owner, id, part')
      .all();
    const found = new Map<string, { entity: Entity; parts: Set<Part> }>();
    for (const { kind, owner, id, part } of rows) {
      const name = `${kind}\n${owner}\n${id}`;
      const change = found.get(name) ?? { entity: { kind, owner, id }, parts: new Set() };
      change.parts.add(part);
      found.set(name, change);
    }
    return [...found.values()];
  }

  /** Applies the server's newer parts to the copy. @throws NoRoom if the file has no room for them */
  take(entity: Entity, news: News, maxBytes: number): void {
    this.#unnoted(() => {
      const { kind, owner } = entity;
      const known = this.has(entity);
      const texts = known ? news.texts : { input: '[]', body: '{}', ...news.texts };
      const bytes = [...Object.values(news.texts), ...news.items.map(([, text]) => text)].join('').length;
      makeRoom(this.#db, { owner, bytes }, maxBytes);
      // It may itself have been deleted to make room.
      if (known && !this.has(entity)) return this.forget(entity);
      if (known && texts.meta === undefined) this.#put(entity, {}, texts);
      else if (texts.meta !== undefined)
        this.#put(entity, JSON.parse(texts.meta) as Record<string, string | number | null>, texts, !known);
      if (kind === 'response') this.#beat(entity, news.beatMs);
      if (news.isAll) this.#clearItems(entity);
      for (const [number, text] of news.items) this.#putItem(entity, number, text);
      this.note(entity, { version: news.version, owes: '' });
    });
  }

  /** Applies a newer heartbeat. */
  hear(entity: Entity, beatMs: number): void {
    if (entity.kind === 'response') this.#unnoted(() => this.#beat(entity, beatMs));
  }

  /** Deletes the copy of an entity that no longer exists on the server. */
  drop(entity: Entity): void {
    this.#unnoted(() => {
      const { kind, owner, id } = entity;
      this.#clearItems(entity);
      this.#db.query(`DELETE FROM ${TABLES[kind]} WHERE owner = ? AND id = ?`).run(owner, id);
      this.forget(entity);
    });
  }

  text({ kind, owner, id }: Entity, text: Text): string | undefined {
    const where = `FROM ${TABLES[kind]} WHERE owner = ? AND id = ?`;
    if (text !== 'meta') {
      const column = COLUMNS[kind][text];
      if (column === undefined) return undefined;
      return this.#db
        .query<{ text: string }, [string, string]>(`SELECT ${column} text ${where}`)
        .get(owner, id)?.text;
    }
    const row = this.#db
      .query<object, [string, string]>(`SELECT ${META[kind].join(', ')} ${where}`)
      .get(owner, id);
    return row ? JSON.stringify(row) : undefined;
  }

  item({ kind, owner, id }: Entity, number: number): string | undefined {
    const { table, of } = ITEMS[kind];
    const columns = kind === 'response' ? 'event text' : 'json_array(id, body) text';
    return this.#db
      .query<{ text: string }, [string, string, number]>(
        `SELECT ${columns} FROM ${table} WHERE owner = ? AND ${of} = ? AND number = ?`,
      )
      .get(owner, id, number)?.text;
  }

  numbers({ kind, owner, id }: Entity): number[] {
    const { table, of } = ITEMS[kind];
    return this.#db
      .query<{ number: number }, [string, string]>(
        `SELECT number FROM ${table} WHERE owner = ? AND ${of} = ? ORDER BY number`,
      )
      .all(owner, id)
      .map(({ number }) => number);
  }

  extent({ kind, owner, id }: Entity): Extent | undefined {
    const { table, of } = ITEMS[kind];
    const age = kind === 'response' ? 'created' : 'used';
    const row = this.#db
      .query<Extent, [string, string, string, string]>(
        `SELECT bytes + (SELECT COALESCE(SUM(bytes), 0) FROM ${table} WHERE owner = ? AND ${of} = ?) bytes, ${age} ageMs, until untilMs
         FROM ${TABLES[kind]} WHERE owner = ? AND id = ?`,
      )
      .get(owner, id, owner, id);
    return row ?? undefined;
  }

  isRunning({ owner, id }: Entity): boolean {
    const query = this.#db.query<{ status: string }, [string, string]>(
      "SELECT status FROM responses WHERE owner = ? AND id = ? AND status IN ('queued', 'in_progress')",
    );
    return query.get(owner, id) !== null;
  }

  /** All entities in the file. */
  all(): Entity[] {
    return this.#db
      .query<Entity, []>(
        "SELECT 'response' kind, owner, id FROM responses UNION ALL SELECT 'conversation', owner, id FROM conversations",
      )
      .all();
  }

  /** The entities of other owners with the same id. */
  sameIds({ kind, owner, id }: Entity): Entity[] {
    return this.#db
      .query<{ owner: string }, [string, string]>(
        `SELECT owner FROM ${TABLES[kind]} WHERE id = ? AND owner <> ?`,
      )
      .all(id, owner)
      .map((each) => ({ kind, id, owner: each.owner }));
  }

  /** The entities that still have to be sent, including those from before the file was shared. */
  owed(): Entity[] {
    return this.#db
      .query<Entity, []>(
        `SELECT kind, owner, id FROM copies WHERE owes <> ''
         UNION SELECT 'response', owner, id FROM responses WHERE NOT EXISTS
           (SELECT 1 FROM copies c WHERE c.kind = 'response' AND c.owner = responses.owner AND c.id = responses.id)
         UNION SELECT 'conversation', owner, id FROM conversations WHERE NOT EXISTS
           (SELECT 1 FROM copies c WHERE c.kind = 'conversation' AND c.owner = conversations.owner AND c.id = conversations.id)`,
      )
      .all();
  }

  /**
   * Compares the server's epoch with the one seen last. If it differs, the server has lost its data or is a different
   * one, and all copies have to be sent.
   */
  isNewServer(epoch: string): boolean {
    const before = this.#db
      .query<{ value: string }, []>("SELECT value FROM about WHERE name = 'epoch'")
      .get()?.value;
    this.#db.query("INSERT OR REPLACE INTO about VALUES ('epoch', ?)").run(epoch);
    if (before === epoch) return false;
    this.#db
      .query("UPDATE copies SET version = ?, owes = CASE owes WHEN 'removal' THEN owes ELSE 'change' END")
      .run(JSON.stringify(UNKNOWN));
    return true;
  }

  /** Deletes records about entities that are no longer in the file. */
  sweep(): void {
    for (const [kind, table] of Object.entries(TABLES))
      this.#db.run(
        `DELETE FROM copies WHERE kind = '${kind}' AND owes <> 'removal' AND NOT EXISTS
           (SELECT 1 FROM ${table} t WHERE t.owner = copies.owner AND t.id = copies.id)`,
      );
    // Expired entities expire on the server as well.
    this.#db.run('DELETE FROM changed');
  }

  #put(
    { kind, owner, id }: Entity,
    meta: Readonly<Record<string, string | number | null>>,
    texts: Readonly<Partial<Record<Text, string>>>,
    isNew = false,
  ): void {
    const values: Record<string, string | number | null> = {};
    for (const column of META[kind]) if (column in meta) values[column] = meta[column]!;
    for (const [text, column] of Object.entries(COLUMNS[kind])) {
      const value = texts[text as Text];
      if (value !== undefined) values[column] = value;
    }
    const names = Object.keys(values);
    const table = TABLES[kind];
    if (isNew) {
      const all = { owner, id, ...values, bytes: 0, ...(kind === 'response' ? { beat: 0 } : {}) };
      const marks = Object.keys(all).map(() => '?');
      this.#db
        .query(`INSERT INTO ${table} (${Object.keys(all).join(', ')}) VALUES (${marks.join(', ')})`)
        .run(...Object.values(all));
    } else if (names.length > 0)
      this.#db
        .query(
          `UPDATE ${table} SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE owner = ? AND id = ?`,
        )
        .run(...Object.values(values), owner, id);
    const length = Object.values(COLUMNS[kind]).map((column) => `length(${column})`);
    this.#db
      .query(`UPDATE ${table} SET bytes = ${length.join(' + ')} WHERE owner = ? AND id = ?`)
      .run(owner, id);
  }

  #putItem({ kind, owner, id }: Entity, number: number, text: string): void {
    if (kind === 'response')
      return void this.#db
        .query('INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)')
        .run(owner, id, number, text.length, text);
    const [item, body] = JSON.parse(text) as [string, string];
    this.#db
      .query('INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)')
      .run(owner, id, number, item, body.length, body);
  }

  /** Appends items to a conversation, as a change made here. */
  append({ owner, id }: Entity, items: readonly string[]): void {
    this.#db.transaction(() => {
      let number = this.numbers({ kind: 'conversation', owner, id }).at(-1) ?? -1;
      for (const text of items) this.#putItem({ kind: 'conversation', owner, id }, (number += 1), text);
    })();
  }

  #clearItems({ kind, owner, id }: Entity): void {
    const { table, of } = ITEMS[kind];
    this.#db.query(`DELETE FROM ${table} WHERE owner = ? AND ${of} = ?`).run(owner, id);
  }

  #beat({ owner, id }: Entity, beatMs: number): void {
    this.#db.query('UPDATE responses SET beat = ? WHERE owner = ? AND id = ?').run(beatMs, owner, id);
  }

  /**
   * Makes changes that come from the server and must not be sent back. Changes made here are always collected at once,
   * so none is lost.
   */
  #unnoted(change: () => void): void {
    this.#db
      .transaction(() => {
        change();
        this.#db.run('DELETE FROM changed');
      })
      .immediate();
  }
}
