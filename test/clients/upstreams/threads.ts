/** Conversations stored by Anthropic: the next request of a thread contains only the new messages. */
import type { JsonObject } from '../upstream.ts';
import { demand } from '../script.ts';

export class Threads {
  readonly #held = new Map<string, JsonObject>();
  #asked: JsonObject | undefined;

  /** The complete request: tools and instructions are those of the thread's first request. */
  heard(body: JsonObject): JsonObject {
    const { thread, messages } = body;
    if (!thread) return body;
    const { type, previous_message_id: id } = thread as { type?: string; previous_message_id?: string };
    const before = type === 'continue' ? this.#held.get(id ?? '') : { messages: [] };
    demand(before, `no thread was left at ${id}`);
    this.#asked = { ...before, ...body, messages: [...listOf(before.messages), ...listOf(messages)] };
    return this.#asked;
  }

  /** Stores the answer to the last request, if it was part of a thread. */
  answered(id: string, answer: JsonObject): void {
    const asked = this.#asked;
    if (asked) this.#held.set(id, { ...asked, messages: [...listOf(asked.messages), answer] });
    this.#asked = undefined;
  }
}

function listOf(messages: unknown): unknown[] {
  return messages as unknown[];
}
