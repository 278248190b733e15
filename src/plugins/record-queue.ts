import type { LogRecord } from '../logs/record.ts';
import type { RequestRecord } from './plugin.ts';
import { parseJson } from '../wire/json.ts';

/** The most records that wait for a plugin. */
const MAX_WAITING = 1_000;

/** The most memory that waiting records take, characters of their texts. */
const MAX_TEXT = 64 * 1024 ** 2;

/**
 * Passes records to one plugin, one after another. Adding a record does not wait; records that do not fit are dropped
 * and counted.
 */
export class RecordQueue {
  readonly #give: (record: RequestRecord) => Promise<void>;
  readonly #lost: () => void;
  readonly #waiting: LogRecord[] = [];
  #text = 0;
  #working: Promise<void> | undefined;

  /** @param give must not reject @param lost called for each dropped record */
  constructor(give: (record: RequestRecord) => Promise<void>, lost: () => void) {
    this.#give = give;
    this.#lost = lost;
  }

  add(record: LogRecord): void {
    if (this.#waiting.length >= MAX_WAITING || this.#text + lengthOf(record) > MAX_TEXT) {
      this.#lost();
      return;
    }
    this.#waiting.push(record);
    this.#text += lengthOf(record);
    this.#working ??= this.#work();
  }

  /** Resolves when no record waits. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // Deferred, so that the client of the request that ends does not wait for the plugin.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const record = this.#waiting.shift();
      if (!record) break;
      this.#text -= lengthOf(record);
      await this.#give(ownCopy(record));
    }
    this.#working = undefined;
  }
}

function lengthOf({ request, response }: LogRecord): number {
  return (request?.length ?? 0) + (response?.length ?? 0);
}

/** A copy of a record that the plugin may change: the log may still have to write the original. */
function ownCopy({ request, response, ...rest }: LogRecord): RequestRecord {
  return {
    ...structuredClone(rest),
    ...(request === undefined ? {} : { request: parseJson(request) ?? request }),
    ...(response === undefined ? {} : { response: parseJson(response) ?? response }),
  };
}
