import type { Database } from 'bun:sqlite';
import type { JsonObject } from '../wire/json.ts';
import type { KeptResponse, Owner, StoredOptions } from './entries.ts';
import { objectOf, stringOf } from '../wire/json.ts';
import { addItems } from './conversations.ts';
import { runnerOf } from './file.ts';
import { inputItems } from './items.ts';
import { makeRoom } from './room.ts';

export interface Row {
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
  /** The processes that run it, for background responses. */
  readonly runner: string | null;
}

/** The fields of a row that are not in its request. */
export interface Put {
  readonly id: string;
  /** The id at its provider. */
  readonly issued: string | undefined;
  readonly input: readonly JsonObject[];
  readonly body: JsonObject;
  /** Whether its events are stored. */
  readonly streams?: boolean;
}

/** The conversation to which a response is appended. */
export interface Joining {
  readonly owner: Owner;
  readonly conversation: string | undefined;
  /** The id of the response. */
  readonly id: string;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** The statuses of unfinished responses. */
const RUNNING: ReadonlySet<string> = new Set(['queued', 'in_progress']);

/**
 * A running response is confirmed at least every second: without confirmation for this long it has been abandoned,
 * milliseconds.
 */
export const SILENT_MS = 10_000;

const STOPPED = { code: 'server_error', message: 'The proxy was stopped before the response was complete' };

export function isRunning({ status }: Pick<Row, 'status'>): boolean {
  return RUNNING.has(status);
}

/** The rows of stored responses, and their changes. */
export class ResponseRows {
  readonly db: Database;
  /** Redacts JSON text. */
  readonly redact: (text: string) => string;
  options: StoredOptions;
  /** Whether it would be known here if a response still runs on another machine. */
  hearsOthers: () => boolean = () => true;
  readonly #runner: string;

  constructor(db: Database, options: StoredOptions, redact: (text: string) => string) {
    this.db = db;
    this.options = options;
    this.redact = redact;
    this.#runner = runnerOf(db);
  }

  /** @param nowMs if its process is gone by then, the response has failed */
  row(owner: Owner, id: string, nowMs?: number): Row | undefined {
    const row = this.db
      .query<Row, [string, string]>('SELECT * FROM responses WHERE owner = ? AND id = ?')
      .get(owner, id);
    if (!row || nowMs === undefined) return row ?? undefined;
    if (!isRunning(row) || row.beat >= nowMs - SILENT_MS) return row;
    if (row.runner !== this.#runner && !this.hearsOthers()) return row;
    this.#fail(owner, row, nowMs);
    return this.row(owner, id);
  }

  /** The responses of this file's previous processes have failed, since none of them is running. */
  failLeft(nowMs: number): void {
    const left = this.db
      .query<Row & { owner: Owner }, [string]>(
        "SELECT * FROM responses WHERE status IN ('queued', 'in_progress') AND COALESCE(runner, ?1) = ?1",
      )
      .all(this.#runner);
    this.write(() => {
      for (const row of left) this.#fail(row.owner, row, nowMs);
    });
  }

  #fail(owner: Owner, { id, body }: Row, nowMs: number): void {
    this.change(owner, id, { ...parsed(body), status: 'failed', error: STOPPED }, nowMs);
  }

  put(kept: KeptResponse, { id, issued, input, body, streams = false }: Put): void {
    const { owner, previous, conversation, background = false, nowMs, untilMs } = kept;
    const texts = [input, body].map((value) => this.redact(JSON.stringify(value))) as [string, string];
    const bytes = texts[0].length + texts[1].length;
    makeRoom(this.db, { owner, bytes }, this.options.maxBytes);
    this.db
      .query('INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, 0, ?, ?, ?, ?)')
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
        this.#runner,
      );
  }

  change(owner: Owner, id: string, body: JsonObject, nowMs: number): void {
    const text = this.redact(JSON.stringify(body));
    this.db
      .query(
        'UPDATE responses SET body = ?, status = ?, beat = ?, bytes = length(input) + ? WHERE owner = ? AND id = ?',
      )
      .run(text, stringOf(body.status) ?? 'completed', nowMs, text.length, owner, id);
  }

  /** Records the id at its provider if the response says that it was stored there. */
  issue(owner: Owner, id: string, answer: JsonObject, issuer: string | undefined): void {
    const known = answer.store === true ? (issuer ?? null) : null;
    this.db
      .query('UPDATE responses SET issuer = ?, issued = ? WHERE owner = ? AND id = ?')
      .run(known, stringOf(answer.id) ?? null, owner, id);
  }

  join({ owner, conversation, id, nowMs, untilMs }: Joining, items: readonly JsonObject[]): void {
    if (conversation === undefined) return;
    addItems(this.db, { owner, conversation, of: id, nowMs, untilMs, redact: this.redact }, items);
  }

  write(change: () => void): void {
    this.db.transaction(change).immediate();
  }
}

/** The storage fields of a response, which override the provider's. */
export function ownFields(fields: {
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

export function outputOf({ output }: JsonObject): JsonObject[] {
  return inputItems(output);
}

/** The items in a request. @param request JSON */
export function inputOf(request: string): JsonObject[] {
  return inputItems(parsed(request).input);
}

export function parsed(json: string): JsonObject {
  return objectOf(JSON.parse(json));
}
