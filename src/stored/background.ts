import type { JsonObject } from '../wire/json.ts';
import type { BackgroundEnd, Owner, QueuedResponse, ShownResponse, StoredEvents } from './entries.ts';
import type { ResponseRows } from './rows.ts';
import { shown } from './responses.ts';
import { inputOf, isRunning, outputOf, ownFields, parsed } from './rows.ts';

/** The state of background responses: their process reports it, and other processes may cancel them. */
export class StoredBackground {
  readonly #rows: ResponseRows;

  constructor(rows: ResponseRows) {
    this.#rows = rows;
  }

  /** A response that should run. */
  queue(queued: QueuedResponse): void {
    const { id, streams } = queued;
    const put = {
      id,
      issued: undefined,
      input: inputOf(queued.request),
      body: parsed(queued.response),
      streams,
    };
    this.#rows.write(() => this.#rows.put({ ...queued, background: true }, put));
  }

  /** It has started. @returns whether it is still wanted */
  begin(owner: Owner, id: string, nowMs: number): boolean {
    const row = this.#rows.row(owner, id);
    if (!row || row.cancelled === 1) return false;
    this.#rows.change(owner, id, { ...parsed(row.body), status: 'in_progress' }, nowMs);
    return true;
  }

  /** It has ended. */
  end({ owner, id, response, error, issuer, nowMs, untilMs }: BackgroundEnd): void {
    const row = this.#rows.row(owner, id);
    if (!row || row.cancelled === 1) return;
    const failure = error ?? { code: 'server_error', message: 'It failed' };
    if (response === undefined)
      return this.#rows.change(owner, id, { ...parsed(row.body), status: 'failed', error: failure }, nowMs);
    const answer = parsed(response);
    const previous = row.previous ?? undefined;
    const conversation = row.conversation ?? undefined;
    const body = { ...answer, ...ownFields({ id, previous, conversation, background: true }) };
    this.#rows.write(() => {
      this.#rows.change(owner, id, body, nowMs);
      this.#rows.issue(owner, id, answer, issuer);
      const items = [...(JSON.parse(row.input) as JsonObject[]), ...outputOf(body)];
      this.#rows.join({ owner, conversation, id, nowMs, untilMs }, items);
    });
  }

  /** Confirms that these are still running. @returns those that have been cancelled */
  beat(running: readonly (readonly [owner: Owner, id: string])[], nowMs: number): string[] {
    const query = this.#rows.db.query<{ cancelled: number }, [number, string, string]>(
      'UPDATE responses SET beat = ? WHERE owner = ? AND id = ? RETURNING cancelled',
    );
    return running.flatMap(([owner, id]) => (query.get(nowMs, owner, id)?.cancelled === 0 ? [] : [id]));
  }

  /** @returns the response in its current state; `undefined` if there is none */
  cancel(owner: Owner, id: string, nowMs: number): ShownResponse | undefined {
    const row = this.#rows.row(owner, id, nowMs);
    if (!row || row.background === 0 || !isRunning(row)) return row && shown(row);
    this.#rows.write(() => {
      this.#rows.change(owner, id, { ...parsed(row.body), status: 'cancelled' }, nowMs);
      this.#rows.db.query('UPDATE responses SET cancelled = 1 WHERE owner = ? AND id = ?').run(owner, id);
    });
    return shown(this.#rows.row(owner, id)!);
  }

  /** Events of a response that was deleted meanwhile are not stored: they would have no owner. */
  addEvents(owner: Owner, id: string, first: number, events: readonly string[]): void {
    if (!this.#rows.row(owner, id)) return;
    const query = this.#rows.db.query('INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)');
    this.#rows.write(() =>
      events.forEach((event, place) => {
        const text = this.#rows.redact(event);
        query.run(owner, id, first + place, text.length, text);
      }),
    );
  }

  /** @param after the number of the last known event */
  events(owner: Owner, id: string, after: number, nowMs: number): StoredEvents | undefined {
    const row = this.#rows.row(owner, id, nowMs);
    if (!row) return undefined;
    const rows = this.#rows.db
      .query<{ event: string }, [string, string, number]>(
        'SELECT event FROM events WHERE owner = ? AND response = ? AND number > ? ORDER BY number LIMIT 500',
      )
      .all(owner, id, after);
    return { events: rows.map(({ event }) => event), isRunning: isRunning(row) };
  }
}
