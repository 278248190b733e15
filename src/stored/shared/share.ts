import type { Database } from 'bun:sqlite';
import { systemClock } from '../../clock.ts';
import { Link } from '../../redis/link.ts';
import type { FromStore, RedisPlace, TableName } from '../messages.ts';
import type { ResponseRows } from '../rows.ts';
import { SILENT_MS } from '../rows.ts';
import { Copy } from './copy.ts';
import { SharedTables } from './shared-tables.ts';

export interface ShareDeps {
  readonly db: Database;
  readonly rows: ResponseRows;
  /** Makes a call on the tables of the file. */
  readonly call: (table: TableName, name: string, given: readonly unknown[]) => unknown;
  readonly report: (message: FromStore) => void;
}

/** Starts to share stored data through a server. It connects in the background. */
export function shareThrough(
  { url, timeoutMs }: RedisPlace,
  { db, rows, call, report }: ShareDeps,
): { readonly tables: SharedTables; readonly close: () => void } {
  const host = URL.parse(url)?.host ?? '';
  let wasDown = false;
  const trouble = (thrown: unknown) =>
    report({ kind: 'trouble', reason: thrown instanceof Error ? thrown.message : String(thrown) });
  const tell = (message?: string) =>
    report({ kind: 'shared', state: { up: link.up, failures: link.failures }, message });
  const link: Link = new Link({
    url,
    timeoutMs,
    clock: systemClock,
    onUp: () => {
      tell(wasDown ? `Stored responses are shared through ${host} (state.redis) again` : undefined);
      wasDown = false;
      void tables.catchUp().catch(trouble);
    },
    onDown: (reason) => {
      wasDown = true;
      tell(
        `Cannot share stored responses through ${host} (state.redis): ${reason}; until it is available again, this replica finds those that it has stored or read itself`,
      );
    },
  });
  const copy = new Copy(db);
  let opening: Promise<void> | undefined;
  const tables = new SharedTables({
    reaching: () => opening ?? link.again,
    clock: systemClock,
    link,
    copy,
    call,
    options: () => rows.options,
  });
  // Others may reconnect later than this replica, and their responses are still running.
  rows.hearsOthers = () => link.upForMs >= SILENT_MS;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = systemClock.after(2 * timeoutMs, resolve);
  opening = Promise.race([link.open(), late]).finally(() => {
    cancel();
    opening = undefined;
  });
  return { tables, close: () => link.close() };
}
