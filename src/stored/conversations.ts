import type { Database } from 'bun:sqlite';
import type { JsonObject } from '../wire/json.ts';
import type { Chain, Owner, Page, PageOptions, StoredConversation, StoredOptions } from './entries.ts';
import { objectOf } from '../wire/json.ts';
import { inputItems, itemId, shownItem } from './items.ts';
import { pageOf, pageText } from './page.ts';
import { makeRoom } from './room.ts';

interface ItemRow {
  readonly id: string;
  readonly body: string;
}

/** The largest number of items in a conversation. */
const MAX_ITEMS = 20_000;

/** The destination of items, and their times of creation and expiry. */
interface Adding {
  readonly owner: Owner;
  readonly conversation: string;
  /** What they belong to: creates ids for items without one. */
  readonly of: string;
  readonly nowMs: number;
  readonly untilMs: number;
  readonly redact: (text: string) => string;
}

/** Appends items to a conversation, unless it was deleted. Within a transaction. @returns their ids */
export function addItems(db: Database, adding: Adding, items: readonly JsonObject[]): string[] {
  const { owner, conversation, of, nowMs, untilMs, redact } = adding;
  const used = db
    .query('UPDATE conversations SET used = ?, until = ? WHERE owner = ? AND id = ?')
    .run(nowMs, untilMs, owner, conversation);
  if (used.changes === 0) return [];
  const { last } = db
    .query<{ last: number }, [string, string]>(
      'SELECT COALESCE(MAX(number), -1) last FROM items WHERE owner = ? AND conversation = ?',
    )
    .get(owner, conversation)!;
  const put = db.query('INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)');
  return items.map((item, place) => {
    const id = itemId(item, of, last + 1 + place);
    const body = redact(JSON.stringify(item));
    put.run(owner, conversation, last + 1 + place, id, body.length, body);
    return id;
  });
}

/** The stored conversations, in the same file as the responses. */
export class StoredConversations {
  readonly #db: Database;
  readonly #redact: (text: string) => string;
  #options: StoredOptions;

  constructor(db: Database, options: StoredOptions, redact: (text: string) => string) {
    this.#db = db;
    this.#options = options;
    this.#redact = redact;
  }

  configure(options: StoredOptions): void {
    this.#options = options;
  }

  create(
    owner: Owner,
    { id, metadata, items }: { id: string; metadata: JsonObject; items: readonly JsonObject[] },
    nowMs: number,
    untilMs: number,
  ): StoredConversation {
    const text = this.#redact(JSON.stringify(metadata));
    this.#write(() => {
      const bytes = text.length + JSON.stringify(items).length;
      makeRoom(this.#db, { owner, bytes }, this.#options.maxBytes);
      this.#db
        .query('INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(owner, id, nowMs, nowMs, untilMs, text.length, text);
      addItems(this.#db, this.#adding(owner, id, nowMs, untilMs), items);
    });
    return { id, createdMs: nowMs, metadata };
  }

  /** The same from the request, JSON: it is parsed here, where that delays nobody. */
  createFrom(
    owner: Owner,
    { id, metadata, request }: { id: string; metadata: JsonObject; request: string },
    nowMs: number,
    untilMs: number,
  ): StoredConversation {
    return this.create(owner, { id, metadata, items: itemsOf(request) }, nowMs, untilMs);
  }

  get(owner: Owner, id: string): StoredConversation | undefined {
    const row = this.#db
      .query<{ created: number; metadata: string }, [string, string]>(
        'SELECT created, metadata FROM conversations WHERE owner = ? AND id = ?',
      )
      .get(owner, id);
    return row ? { id, createdMs: row.created, metadata: objectOf(JSON.parse(row.metadata)) } : undefined;
  }

  update(owner: Owner, id: string, metadata: JsonObject): StoredConversation | undefined {
    const text = this.#redact(JSON.stringify(metadata));
    this.#db
      .query('UPDATE conversations SET metadata = ?, bytes = ? WHERE owner = ? AND id = ?')
      .run(text, text.length, owner, id);
    return this.get(owner, id);
  }

  remove(owner: Owner, id: string): boolean {
    let removed = false;
    this.#write(() => {
      this.#db.query('DELETE FROM items WHERE owner = ? AND conversation = ?').run(owner, id);
      const { changes } = this.#db
        .query('DELETE FROM conversations WHERE owner = ? AND id = ?')
        .run(owner, id);
      removed = changes > 0;
    });
    return removed;
  }

  /**
   * Appends items. @returns them as clients see them; `undefined` if there is no such conversation, `full` if it is
   * full
   */
  add(
    owner: Owner,
    id: string,
    items: readonly JsonObject[],
    nowMs: number,
    untilMs: number,
  ): JsonObject[] | 'full' | undefined {
    if (!this.get(owner, id)) return undefined;
    if (this.#count(owner, id) + items.length > MAX_ITEMS) return 'full';
    let ids: string[] = [];
    this.#write(() => {
      makeRoom(this.#db, { owner, bytes: JSON.stringify(items).length }, this.#options.maxBytes);
      ids = addItems(this.#db, this.#adding(owner, id, nowMs, untilMs), items);
    });
    // It may have been the oldest one, and deleted to make room.
    if (ids.length < items.length) return undefined;
    return ids.map((each, place) => shownItem(items[place]!, each));
  }

  /** The same from the request with the items, JSON. @returns JSON */
  addFrom(
    owner: Owner,
    id: string,
    request: string,
    nowMs: number,
    untilMs: number,
  ): { readonly list: string } | 'full' | undefined {
    const added = this.add(owner, id, itemsOf(request), nowMs, untilMs);
    return Array.isArray(added) ? { list: pageText({ data: added, hasMore: false }) } : added;
  }

  /** {@link list} as JSON. */
  listText(owner: Owner, id: string, options: PageOptions): string | undefined {
    const page = this.list(owner, id, options);
    return page && pageText(page);
  }

  /** {@link item} as JSON. */
  itemText(owner: Owner, id: string, item: string): string | undefined {
    const one = this.item(owner, id, item);
    return one && JSON.stringify(one);
  }

  list(owner: Owner, id: string, options: PageOptions): Page | undefined {
    if (!this.get(owner, id)) return undefined;
    return pageOf(
      this.#rows(owner, id).map((row) => shownItem(objectOf(JSON.parse(row.body)), row.id)),
      options,
    );
  }

  item(owner: Owner, id: string, item: string): JsonObject | undefined {
    const row = this.#db
      .query<ItemRow, [string, string, string]>(
        'SELECT id, body FROM items WHERE owner = ? AND conversation = ? AND id = ?',
      )
      .get(owner, id, item);
    return row ? shownItem(objectOf(JSON.parse(row.body)), row.id) : undefined;
  }

  removeItem(owner: Owner, id: string, item: string): boolean {
    return (
      this.#db.query('DELETE FROM items WHERE owner = ? AND conversation = ? AND id = ?').run(owner, id, item)
        .changes > 0
    );
  }

  /** All of its items. */
  said(owner: Owner, id: string): Chain {
    if (!this.get(owner, id))
      return this.#belongsToAnother(id) ? { kind: 'foreign' } : { kind: 'missing', id };
    const items = `[${this.#rows(owner, id)
      .map(({ body }) => body)
      .join(',')}]`;
    return items.length > this.#options.maxChain ? { kind: 'too_large' } : { kind: 'found', items };
  }

  #belongsToAnother(id: string): boolean {
    const query = this.#db.query<{ id: string }, [string]>('SELECT id FROM conversations WHERE id = ?');
    return query.get(id) !== null;
  }

  #adding(owner: Owner, conversation: string, nowMs: number, untilMs: number): Adding {
    return { owner, conversation, of: conversation, nowMs, untilMs, redact: this.#redact };
  }

  #count(owner: Owner, id: string): number {
    return this.#db
      .query<{ count: number }, [string, string]>(
        'SELECT COUNT(*) count FROM items WHERE owner = ? AND conversation = ?',
      )
      .get(owner, id)!.count;
  }

  #rows(owner: Owner, id: string): ItemRow[] {
    return this.#db
      .query<ItemRow, [string, string]>(
        'SELECT id, body FROM items WHERE owner = ? AND conversation = ? ORDER BY number',
      )
      .all(owner, id);
  }

  #write(change: () => void): void {
    this.#db.transaction(change).immediate();
  }
}

/** @param request JSON */
function itemsOf(request: string): JsonObject[] {
  return inputItems(objectOf(JSON.parse(request)).items);
}
