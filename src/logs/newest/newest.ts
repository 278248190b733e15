/** The newest records of a log that are wanted, found from its end: the files before are not even opened. */
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
 * The newest records that are wanted, by when their answers ended, the newest first. Reads synchronously where it can: for
 * programs that do nothing else, and for threads.
 * @param inputs oldest first, as `findInputs` gives them
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
    // A time that cannot be read is an old one.
    this.endMs = this.record ? endOf(this.record.head) || 0 : -Infinity;
  }

  async close(): Promise<void> {
    await this.#records.return(undefined);
  }
}

async function* recordsOf(chain: Chain, options: BackwardsOptions): AsyncGenerator<FoundRecord> {
  const { sinceMs = -Infinity, untilMs = Infinity } = options;
  for (const input of chain) {
    // A file is of the day on which its answers ended.
    const day = dayOf(input);
    if (day !== undefined && sinceMs > -Infinity && day < dayAt(sinceMs - SLACK_MS)) return;
    if (day !== undefined && untilMs < Infinity && day > dayAt(untilMs + SLACK_MS)) continue;
    if (yield* recordsBackwards(input, options)) return;
  }
}

/** The last moment whose day has four digits for its year, milliseconds since the epoch. */
const LAST_MS = 253_402_300_799_999;

/** The UTC day of any moment, also of one that nobody can have meant. */
function dayAt(ms: number): string {
  return utcDay(Math.min(LAST_MS, Math.max(0, ms)));
}
