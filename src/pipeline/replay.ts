import type { JsonObject } from '../wire/json.ts';
import type { ReplayMemory } from '../wire/protocol.ts';

interface Kept {
  readonly value: JsonObject;
  readonly bytes: number;
}

/** What models want back with their tool calls, the newest of it within a bound. */
export class BoundedReplay implements ReplayMemory {
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(callId: string): JsonObject | undefined {
    return this.#kept.get(callId)?.value;
  }

  set(callId: string, value: JsonObject): void {
    const bytes = JSON.stringify(value).length + callId.length;
    if (bytes > this.#maxBytes) return;
    this.#drop(callId);
    this.#kept.set(callId, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(callId: string): void {
    this.#bytes -= this.#kept.get(callId)?.bytes ?? 0;
    this.#kept.delete(callId);
  }
}
