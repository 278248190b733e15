import type { Database } from 'bun:sqlite';
import type { JsonObject } from '../wire/json.ts';
import type {
  BackgroundEnd,
  Chain,
  KeptResponse,
  Owner,
  Page,
  PageOptions,
  QueuedResponse,
  ShownResponse,
  StoredEvents,
  StoredOptions,
} from './entries.ts';
import { objectOf, stringOf } from '../wire/json.ts';
import { addItems } from './conversations.ts';
import { inputItems, itemId, shownItem } from './items.ts';
import { pageOf } from './page.ts';
import { makeRoom } from './room.ts';

interface Row {
  readonly id: string;
  readonly status: string;
  readonly previous: string | null;
  readonly conversation: string | null;
  readonly issuer: string | null;
  readonly issued: string | null;
  readonly background: number;
  readonly streams: number;
  readonly beat: number;
  readonly cancelled: number;
  readonly input: string;
  readonly body: string;
}

/** Statuses of a response that has not come to its end. */
const RUNNING: ReadonlySet<string> = new Set(['queued', 'in_progress']);

/** Whoever runs a response says so at least every second: one that says nothing for so long is gone, milliseconds. */
const SILENT_MS = 30_000;

/** Responses that may follow each other. */
const MAX_CHAIN = 10_000;

/** The stored responses. All of it happens in a thread of its own, one call after the other. */
export class StoredResponses {
  readonly #db: Database;
  /** Takes secrets out of JSON text. */
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

  keep(kept: KeptResponse): void {
    const { owner, previous, conversation, issuer, background = false, nowMs } = kept;
    const told = objectOf(JSON.parse(kept.response));
    const issued = stringOf(told.id);
    const id = kept.id ?? issued;
    if (id === undefined) return;
    const body = { ...told, ...ownFields({ id, previous, conversation, background }) };
    const input = inputItems(objectOf(JSON.parse(kept.request)).input);
    this.#write(() => {
      this.#put(kept, { id, issued, input, body });
      this.#join({ owner, conversation, id, nowMs, untilMs: kept.untilMs }, [...input, ...outputOf(body)]);
    });
    // Who says that it has not stored it would look for it in vain.
    if (issuer === undefined || told.store !== true) return;
    this.#db.query('UPDATE responses SET issuer = ? WHERE owner = ? AND id = ?').run(issuer, owner, id);
  }

  /** A response that is to run in the background. */
  queue(queued: QueuedResponse): void {
    const { id, streams } = queued;
    const input = inputItems(objectOf(JSON.parse(queued.request)).input);
    const body = objectOf(JSON.parse(queued.response));
    this.#write(() =>
      this.#put({ ...queued, background: true }, { id, issued: undefined, input, body, streams }),
    );
  }

  /** It runs. @returns whether it is still wanted */
  begin(owner: Owner, id: string, nowMs: number): boolean {
    const row = this.#row(owner, id);
    if (!row || row.cancelled === 1) return false;
    this.#change(owner, id, { ...parsed(row.body), status: 'in_progress' }, nowMs);
    return true;
  }

  /** It ran. */
  end({ owner, id, response, error, issuer, nowMs, untilMs }: BackgroundEnd): void {
    const row = this.#row(owner, id);
    if (!row || row.cancelled === 1) return;
    const before = parsed(row.body);
    const told = response === undefined ? undefined : objectOf(JSON.parse(response));
    const { previous, conversation } = row;
    const own = ownFields({
      id,
      previous: previous ?? undefined,
      conversation: conversation ?? undefined,
      background: true,
    });
    const body = told
      ? { ...told, ...own }
      : { ...before, status: 'failed', error: error ?? { code: 'server_error', message: 'It failed' } };
    this.#write(() => {
      this.#change(owner, id, body, nowMs);
      const issued = stringOf(told?.id) ?? null;
      this.#db
        .query('UPDATE responses SET issuer = ?, issued = ? WHERE owner = ? AND id = ?')
        .run(told?.store === true ? (issuer ?? null) : null, issued, owner, id);
      if (!told) return;
      const items = [...(JSON.parse(row.input) as JsonObject[]), ...outputOf(body)];
      this.#join({ owner, conversation: conversation ?? undefined, id, nowMs, untilMs }, items);
    });
  }

  /** Says that these still run. @returns those that nobody wants any more */
  beat(running: readonly (readonly [owner: Owner, id: string])[], nowMs: number): string[] {
    const query = this.#db.query<{ cancelled: number }, [number, string, string]>(
      'UPDATE responses SET beat = ? WHERE owner = ? AND id = ? RETURNING cancelled',
    );
    return running.flatMap(([owner, id]) => (query.get(nowMs, owner, id)?.cancelled === 0 ? [] : [id]));
  }

  /** @returns the response as it is then; `undefined` where there is none */
  cancel(owner: Owner, id: string, nowMs: number): ShownResponse | undefined {
    const shown = this.show(owner, id, nowMs);
    if (!shown?.background || !shown.isRunning) return shown;
    const body = { ...parsed(shown.body), status: 'cancelled' };
    this.#change(owner, id, body, nowMs);
    this.#db.query('UPDATE responses SET cancelled = 1 WHERE owner = ? AND id = ?').run(owner, id);
    return this.show(owner, id, nowMs);
  }

  show(owner: Owner, id: string, nowMs: number): ShownResponse | undefined {
    const row = this.#row(owner, id, nowMs);
    return (
      row && {
        body: row.body,
        isRunning: RUNNING.has(row.status),
        background: row.background === 1,
        streams: row.streams === 1,
      }
    );
  }

  remove(owner: Owner, id: string): boolean {
    this.#db.query('DELETE FROM events WHERE owner = ? AND response = ?').run(owner, id);
    return this.#db.query('DELETE FROM responses WHERE owner = ? AND id = ?').run(owner, id).changes > 0;
  }

  /** All that was said up to a response and in it. */
  chain(owner: Owner, id: string, nowMs: number): Chain {
    const last = this.#row(owner, id, nowMs);
    if (!last) return this.#belongsToAnother(id) ? { kind: 'foreign' } : { kind: 'missing', id };
    if (RUNNING.has(last.status)) return { kind: 'running' };
    const texts: string[] = [];
    let bytes = 0;
    for (let row: Row | undefined = last, count = 0; row; count += 1) {
      const output = JSON.stringify(outputOf(parsed(row.body)));
      texts.push(output, row.input);
      bytes += output.length + row.input.length;
      if (bytes > this.#options.maxChain || count >= MAX_CHAIN) return { kind: 'too_large' };
      const { previous }: Row = row;
      if (previous === null) break;
      row = this.#row(owner, previous, nowMs);
      if (!row) return { kind: 'missing', id: previous };
    }
    const { issuer, issued } = last;
    return {
      kind: 'found',
      items: joined(texts.toReversed()),
      ...(issuer === null || issued === null ? {} : { issuer, issued }),
    };
  }

  /** What a response was made from, whatever came before included; `undefined` where there is no such response. */
  inputs(owner: Owner, id: string, options: PageOptions, nowMs: number): Page | undefined {
    const row = this.#row(owner, id, nowMs);
    if (!row) return undefined;
    const before = row.previous === null ? undefined : this.chain(owner, row.previous, nowMs);
    const earlier = before?.kind === 'found' ? (JSON.parse(before.items) as JsonObject[]) : [];
    const own = JSON.parse(row.input) as JsonObject[];
    const items = [...earlier, ...own].map((item, place) => shownItem(item, itemId(item, id, place)));
    return pageOf(items, options);
  }

  addEvents(owner: Owner, id: string, first: number, events: readonly string[]): void {
    const query = this.#db.query('INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)');
    this.#write(() =>
      events.forEach((event, place) => {
        const text = this.#redact(event);
        query.run(owner, id, first + place, text.length, text);
      }),
    );
  }

  /** @param after the number of the last event that is known already */
  events(owner: Owner, id: string, after: number, nowMs: number): StoredEvents | undefined {
    const row = this.#row(owner, id, nowMs);
    if (!row) return undefined;
    const rows = this.#db
      .query<{ event: string }, [string, string, number]>(
        'SELECT event FROM events WHERE owner = ? AND response = ? AND number > ? ORDER BY number LIMIT 500',
      )
      .all(owner, id, after);
    return { events: rows.map(({ event }) => event), isRunning: RUNNING.has(row.status) };
  }

  /** Removes what is over, and makes room in the file. */
  sweep(nowMs: number): void {
    this.#write(() => {
      this.#db.run(
        'DELETE FROM events WHERE (owner, response) IN (SELECT owner, id FROM responses WHERE until < ?)',
        [nowMs],
      );
      this.#db.run('DELETE FROM responses WHERE until < ?', [nowMs]);
      this.#db.run(
        'DELETE FROM items WHERE (owner, conversation) IN (SELECT owner, id FROM conversations WHERE until < ?)',
        [nowMs],
      );
      this.#db.run('DELETE FROM conversations WHERE until < ?', [nowMs]);
    });
    this.#db.run('PRAGMA incremental_vacuum(1000)');
  }

  /** Bytes that are stored, and how many responses. */
  size(): { bytes: number; responses: number } {
    const { bytes } = this.#db
      .query<{ bytes: number }, []>('SELECT COALESCE(SUM(bytes), 0) bytes FROM owners')
      .get()!;
    const { count } = this.#db.query<{ count: number }, []>('SELECT COUNT(*) count FROM responses').get()!;
    return { bytes, responses: count };
  }

  #belongsToAnother(id: string): boolean {
    return this.#db.query<{ id: string }, [string]>('SELECT id FROM responses WHERE id = ?').get(id) !== null;
  }

  /** @param nowMs one whose runner is gone has failed by then */
  #row(owner: Owner, id: string, nowMs?: number): Row | undefined {
    const row = this.#db
      .query<Row, [string, string]>('SELECT * FROM responses WHERE owner = ? AND id = ?')
      .get(owner, id);
    if (!row || nowMs === undefined) return row ?? undefined;
    if (!RUNNING.has(row.status) || row.beat >= nowMs - SILENT_MS) return row;
    const error = { code: 'server_error', message: 'The proxy was stopped before the response was complete' };
    this.#change(owner, id, { ...parsed(row.body), status: 'failed', error }, nowMs);
    return this.#row(owner, id);
  }

  #put(
    { owner, previous, conversation, background = false, nowMs, untilMs }: KeptResponse,
    {
      id,
      issued,
      input,
      body,
      streams = false,
    }: { id: string; issued: string | undefined; input: unknown; body: JsonObject; streams?: boolean },
  ): void {
    const texts = [input, body].map((value) => this.#redact(JSON.stringify(value))) as [string, string];
    const bytes = texts[0].length + texts[1].length;
    makeRoom(this.#db, bytes, this.#options.maxBytes);
    this.#db
      .query('INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, 0, ?, ?, ?)')
      .run(
        owner,
        id,
        nowMs,
        untilMs,
        stringOf(body.status) ?? 'completed',
        previous ?? null,
        conversation ?? null,
        issued ?? null,
        background ? 1 : 0,
        streams ? 1 : 0,
        nowMs,
        bytes,
        ...texts,
      );
  }

  #change(owner: Owner, id: string, body: JsonObject, nowMs: number): void {
    const text = this.#redact(JSON.stringify(body));
    this.#db
      .query(
        'UPDATE responses SET body = ?, status = ?, beat = ?, bytes = length(input) + ? WHERE owner = ? AND id = ?',
      )
      .run(text, stringOf(body.status) ?? 'completed', nowMs, text.length, owner, id);
  }

  #join(
    to: {
      owner: Owner;
      conversation: string | undefined;
      id: string;
      nowMs: number;
      untilMs: number;
    },
    items: readonly JsonObject[],
  ): void {
    const { owner, conversation, id, nowMs, untilMs } = to;
    if (conversation === undefined) return;
    addItems(this.#db, { owner, conversation, of: id, nowMs, untilMs, redact: this.#redact }, items);
  }

  #write(change: () => void): void {
    this.#db.transaction(change).immediate();
  }
}

/** What a response says of where it stands here, whatever its provider says. */
function ownFields(fields: {
  id: string;
  previous: string | undefined;
  conversation: string | undefined;
  background: boolean;
}): JsonObject {
  const { id, previous, conversation, background } = fields;
  return {
    id,
    store: true,
    background,
    previous_response_id: previous ?? null,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
  };
}

function outputOf({ output }: JsonObject): JsonObject[] {
  return inputItems(output);
}

function parsed(body: string): JsonObject {
  return objectOf(JSON.parse(body));
}

/** JSON lists as one, without reading them. */
function joined(lists: readonly string[]): string {
  return `[${lists
    .map((list) => list.slice(1, -1))
    .filter((inner) => inner !== '')
    .join(',')}]`;
}
