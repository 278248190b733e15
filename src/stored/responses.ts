import type { JsonObject } from '../wire/json.ts';
import type {
  Chain,
  KeptResponse,
  Owner,
  Page,
  PageOptions,
  ShownResponse,
  StoredOptions,
} from './entries.ts';
import type { ResponseRows, Row } from './rows.ts';
import { stringOf } from '../wire/json.ts';
import { itemId, shownItem } from './items.ts';
import { pageOf, pageText } from './page.ts';
import { inputOf, isRunning, outputOf, ownFields, parsed } from './rows.ts';

/** The longest chain of responses. */
const MAX_CHAIN = 10_000;

/** The stored responses. Everything runs in a separate thread, one call after another. */
export class StoredResponses {
  readonly #rows: ResponseRows;

  constructor(rows: ResponseRows) {
    this.#rows = rows;
  }

  configure(options: StoredOptions): void {
    this.#rows.options = options;
  }

  keep(kept: KeptResponse): void {
    const { owner, previous, conversation, issuer, background = false, nowMs, untilMs } = kept;
    const answer = parsed(kept.response);
    const issued = stringOf(answer.id);
    const id = kept.id ?? issued;
    if (id === undefined) return;
    const body = { ...answer, ...ownFields({ id, previous, conversation, background }) };
    const input = inputOf(kept.request);
    this.#rows.write(() => {
      this.#rows.put(kept, { id, issued, input, body });
      this.#rows.issue(owner, id, answer, issuer);
      this.#rows.join({ owner, conversation, id, nowMs, untilMs }, [...input, ...outputOf(body)]);
    });
  }

  show(owner: Owner, id: string, nowMs: number): ShownResponse | undefined {
    const row = this.#rows.row(owner, id, nowMs);
    return row && shown(row);
  }

  remove(owner: Owner, id: string): boolean {
    const { db } = this.#rows;
    db.query('DELETE FROM events WHERE owner = ? AND response = ?').run(owner, id);
    return db.query('DELETE FROM responses WHERE owner = ? AND id = ?').run(owner, id).changes > 0;
  }

  /** The conversation up to and including a response. */
  chain(owner: Owner, id: string, nowMs: number): Chain {
    const last = this.#rows.row(owner, id, nowMs);
    if (!last) return this.#belongsToAnother(id) ? { kind: 'foreign' } : { kind: 'missing', id };
    if (isRunning(last)) return { kind: 'running' };
    const texts: string[] = [];
    let length = 0;
    for (let row: Row | undefined = last, count = 0; row; count += 1) {
      const output = JSON.stringify(outputOf(parsed(row.body)));
      texts.push(output, row.input);
      length += output.length + row.input.length;
      if (length > this.#rows.options.maxChain || count >= MAX_CHAIN) return { kind: 'too_large' };
      const { previous }: Row = row;
      if (previous === null) break;
      row = this.#rows.row(owner, previous, nowMs);
      if (!row) return { kind: 'missing', id: previous };
    }
    const { issuer, issued } = last;
    return {
      kind: 'found',
      items: joined(texts.toReversed()),
      ...(issuer === null || issued === null ? {} : { issuer, issued }),
    };
  }

  /** The input of a response, including the earlier conversation; `undefined` if there is no such response. */
  inputs(owner: Owner, id: string, options: PageOptions, nowMs: number): Page | undefined {
    const row = this.#rows.row(owner, id, nowMs);
    if (!row) return undefined;
    const before = row.previous === null ? undefined : this.chain(owner, row.previous, nowMs);
    const earlier = before?.kind === 'found' ? (JSON.parse(before.items) as JsonObject[]) : [];
    const own = JSON.parse(row.input) as JsonObject[];
    const items = [...earlier, ...own].map((item, place) => shownItem(item, itemId(item, id, place)));
    return pageOf(items, options);
  }

  /** {@link inputs} as JSON. */
  inputsText(owner: Owner, id: string, options: PageOptions, nowMs: number): string | undefined {
    const page = this.inputs(owner, id, options, nowMs);
    return page && pageText(page);
  }

  /** Deletes what has expired, and frees space in the file. */
  sweep(nowMs: number): void {
    const { db } = this.#rows;
    const gone = (table: 'responses' | 'conversations') => `(SELECT owner, id FROM ${table} WHERE until < ?)`;
    this.#rows.write(() => {
      for (const statement of [
        `DELETE FROM events WHERE (owner, response) IN ${gone('responses')}`,
        'DELETE FROM responses WHERE until < ?',
        `DELETE FROM items WHERE (owner, conversation) IN ${gone('conversations')}`,
        'DELETE FROM conversations WHERE until < ?',
      ])
        db.run(statement, [nowMs]);
    });
    db.run('PRAGMA incremental_vacuum(1000)');
    // Deleted data is still in the write-ahead log until that is restarted.
    db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** The number of stored bytes and responses. */
  size(): { bytes: number; responses: number } {
    const { db } = this.#rows;
    const { bytes } = db
      .query<{ bytes: number }, []>('SELECT COALESCE(SUM(bytes), 0) bytes FROM owners')
      .get()!;
    const { count } = db.query<{ count: number }, []>('SELECT COUNT(*) count FROM responses').get()!;
    return { bytes, responses: count };
  }

  #belongsToAnother(id: string): boolean {
    const { db } = this.#rows;
    return db.query<{ id: string }, [string]>('SELECT id FROM responses WHERE id = ?').get(id) !== null;
  }
}

/** A response as its client sees it. */
export function shown(row: Row): ShownResponse {
  return {
    body: row.body,
    isRunning: isRunning(row),
    background: row.background === 1,
    streams: row.streams === 1,
  };
}

/** Concatenates JSON lists without parsing them. */
function joined(lists: readonly string[]): string {
  return `[${lists
    .map((list) => list.slice(1, -1))
    .filter((inner) => inner !== '')
    .join(',')}]`;
}
