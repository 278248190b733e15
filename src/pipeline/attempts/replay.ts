import type { JsonObject } from '../../wire/json.ts';
import type { ReplayMemory } from '../../wire/protocol.ts';
import { sizeOf } from '../../wire/json-size.ts';

interface Kept {
  readonly value: JsonObject;
  readonly bytes: number;
}

/** What models require back with their tool calls: the newest entries, up to a limit. */
export class BoundedReplay {
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The memory of one caller: ids are not secret, and no caller must get what another was answered.
   * @param caller name of the client's key; all callers without one share a memory
   */
  of(caller: string | null): ReplayMemory {
    // Names of keys contain no line breaks.
    const scoped = (id: string) => `${caller ?? ''}\n${id}`;
    return {
      get: (id) => this.#kept.get(scoped(id))?.value,
      set: (id, value) => this.#set(scoped(id), value),
    };
  }

  #set(id: string, value: JsonObject): void {
    const bytes = sizeOf(value, this.#maxBytes) + id.length;
    if (bytes > this.#maxBytes) return;
    this.#drop(id);
    this.#kept.set(id, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    this.#bytes -= this.#kept.get(id)?.bytes ?? 0;
    this.#kept.delete(id);
  }
}
