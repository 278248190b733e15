import type { ChatChunk } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import { eventsText } from '../../wire/long-events.ts';
import type { ChatWriter } from '../../wire/protocol.ts';
import type { Tap } from '../streams/tap.ts';
import type { Answering, Continuation } from './lane.ts';
import { canonicalAssembler } from '../../wire/parts/assemble.ts';
import { SseReader } from '../../wire/sse.ts';

/** Continues a relayed stream: from here on its events are generated, and the tap sees them as before. */
export class RelayContinuation implements Continuation {
  readonly #writer: ChatWriter;
  readonly #tap: Tap;
  readonly #target: string;
  readonly #strict: boolean;
  readonly #events = new SseReader();
  readonly #encoder = new TextEncoder();
  /** The calls as they arrive: if a client gets calls whole, the tap sees none that are truncated. */
  readonly #calls = canonicalAssembler();

  constructor({ stream, strict }: Answering, tap: Tap, target: string) {
    this.#writer = stream(tap.begun());
    this.#strict = strict;
    this.#tap = tap;
    this.#target = target;
  }

  push(chunk: ChatChunk): string {
    const finish = chunk.choices[0]?.finish_reason ?? null;
    if (chunk.choices[0]?.delta.tool_calls) this.#calls.push(chunk as unknown as JsonObject);
    const { brokenCall } = this.#calls;
    const error =
      finish === null
        ? undefined
        : this.#tap.objection(finish, this.#target, { strict: this.#strict, brokenCall });
    if (error) throw error;
    return this.#show(eventsText(this.#writer.push(chunk)));
  }

  end(): string {
    return this.#show(eventsText(this.#writer.end()));
  }

  #show(text: string): string {
    for (const event of this.#events.push(this.#encoder.encode(text))) this.#tap.event(event, this.#target);
    if (this.#tap.error) throw this.#tap.error;
    return text;
  }
}
