import type { LogRecord } from '../logs/record.ts';
import type { RequestRecord } from './plugin.ts';
import { parseJson } from '../wire/json.ts';

/** Records that wait for a plugin at most. */
const MAX_WAITING = 1_000;

/** Memory of those that wait at most, characters of their texts. */
const MAX_TEXT = 64 * 1024 ** 2;

/** Hands records to one plugin, one after the other. Whoever adds one does not wait; what does not fit is dropped and counted. */
export class RecordQueue {
  readonly #give: (record: RequestRecord) => Promise<void>;
  readonly #lost: () => void;
  readonly #waiting: LogRecord[] = [];
  #text = 0;
  #working: Promise<void> | undefined;

  /** @param give must not reject @param lost told each time that one is dropped */
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

  /** Resolves when none waits. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    // Not within the request that ends: its client is not to wait for a plugin.
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

/** A record that a plugin may do with as it likes: the log may still have to write the other one. */
function ownCopy({ request, response, ...rest }: LogRecord): RequestRecord {
  return {
    ...structuredClone(rest),
    ...(request === undefined ? {} : { request: parseJson(request) ?? request }),
    ...(response === undefined ? {} : { response: parseJson(response) ?? response }),
  };
}
