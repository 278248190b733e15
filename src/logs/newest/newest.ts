/** Finds the newest matching records of a log from its end: older files are not even opened. */
import type { LogInput } from '../input.ts';
import type { BackwardsOptions } from './backwards.ts';
import type { Chain } from './chains.ts';
import type { FoundRecord } from './found.ts';
import { utcDay } from '../names.ts';
import { recordsBackwards, SLACK_MS } from './backwards.ts';
import { chainsOf, dayOf } from './chains.ts';
import { endOf } from './found.ts';

export type { FoundRecord, RecordTest } from './found.ts';
export { endOf } from './found.ts';

/**
 * The newest matching records, ordered by when their answers ended, newest first. Reads synchronously where possible:
 * meant for commands that do nothing else, and for threads.
 * @param inputs oldest first, as returned by `findInputs`
 * @throws the signal's reason when it aborts
 */
export async function newestRecords(
  inputs: readonly LogInput[],
  options: BackwardsOptions,
): Promise<FoundRecord[]> {
  const { most } = options;
  const found: FoundRecord[] = [];
  if (most <= 0 || inputs.length === 0) return found;
  const cursors = chainsOf(inputs).map((chain) => new Cursor(recordsOf(chain, options)));
  try {
    for (const cursor of cursors) await cursor.next();
    while (found.length < most) {
      const newest = cursors.reduce((first, cursor) => (cursor.endMs > first.endMs ? cursor : first));
      if (!newest.record) break;
      found.push(newest.record);
      if (found.length < most) await newest.next();
    }
    return found;
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

/** Walks through a chain of files, one record ahead. */
class Cursor {
  readonly #records: AsyncGenerator<FoundRecord, unknown>;
  record: FoundRecord | undefined;
  endMs = -Infinity;

  constructor(records: AsyncGenerator<FoundRecord, unknown>) {
    this.#records = records;
  }

  async next(): Promise<void> {
    const next = await this.#records.next();
    this.record = next.done ? undefined : next.value;
    // A time that cannot be parsed counts as old.
    this.endMs = this.record ? endOf(this.record.head) || 0 : -Infinity;
  }

  async close(): Promise<void> {
    await this.#records.return(undefined);
  }
}

async function* recordsOf(chain: Chain, options: BackwardsOptions): AsyncGenerator<FoundRecord> {
  const { sinceMs = -Infinity, untilMs = Infinity } = options;
  for (const input of chain) {
    // A file is named after the day on which its answers ended.
    const day = dayOf(input);
    if (day !== undefined && sinceMs > -Infinity && day < dayAt(sinceMs - SLACK_MS)) return;
    if (day !== undefined && untilMs < Infinity && day > dayAt(untilMs + SLACK_MS)) continue;
    if (yield* recordsBackwards(input, options)) return;
  }
}

/** The last moment of the last year with four digits, milliseconds since the epoch. */
const LAST_MS = 253_402_300_799_999;

/** The UTC day of any moment, even an absurd one. */
function dayAt(ms: number): string {
  return utcDay(Math.min(LAST_MS, Math.max(0, ms)));
}
