import type { ChatChunk, ChatDelta, ChatResponse } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ChatReader, ChatWriter, Framing } from '../../wire/protocol.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { Steps } from '../../turns.ts';
import type { Continuation, Fold, Folded } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { classifyBody, tellable } from '../../wire/classify.ts';
import { areLong, eventJson, readAhead, unreadable } from '../../wire/event-json.ts';
import { excessIn } from '../../wire/json-fields.ts';
import type { OwnNames } from '../../wire/facts/tool-names.ts';
import type { RestoredEvents } from '../../redact/outward/restore-events.ts';
import type { Tap } from '../streams/tap.ts';

/** What a translated stream is read and written with. */
export interface TranslateFoldParts {
  readonly framing: Framing;
  readonly reader: ChatReader;
  readonly writer: ChatWriter;
  /** Whether the client's protocol cannot express that a call is invalid. */
  readonly strict: boolean;
  readonly names: OwnNames;
  /** Remembers what must be sent back of the answer. */
  readonly keep: (answer: ChatResponse) => void;
  /** Restores what was redacted in the request; `undefined` if nothing must be restored. */
  readonly restored: RestoredEvents | undefined;
}

/** A provider's events in, the client's events out. */
export class TranslateFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #parts: TranslateFoldParts;
  readonly #encoder = new TextEncoder();
  #restored: RestoredEvents | undefined;

  constructor(tap: Tap, target: string, parts: TranslateFoldParts) {
    this.#tap = tap;
    this.#target = target;
    this.#parts = parts;
    this.#restored = parts.restored;
  }

  push(bytes: Uint8Array): Folded | Steps<Folded> {
    return this.#take(this.#parts.framing.push(bytes), false);
  }

  end(): Folded | Steps<Folded> {
    return this.#take(this.#parts.framing.end(), true);
  }

  #take(events: readonly SseEvent[], ended: boolean): Folded | Steps<Folded> {
    return areLong(events) ? this.#readInSteps(events, ended) : this.#read(events, ended);
  }

  *#readInSteps(events: readonly SseEvent[], ended: boolean): Steps<Folded> {
    const read: SseEvent[] = [];
    for (const event of yield* readAhead(events))
      read.push((yield* excessIn(eventJson(event), event.data)) ? unreadable(event) : event);
    return this.#read(read, ended);
  }

  #read(events: readonly SseEvent[], ended: boolean): Uint8Array | undefined {
    const { reader } = this.#parts;
    let text = '';
    for (const event of events) {
      text += this.#write(reader.push(event));
      if (reader.error || this.#tap.error) break;
    }
    if (ended && !reader.error) text += this.#write(reader.end());
    this.#tap.malformed = reader.malformed;
    this.#tap.early = reader.usage;
    this.#tap.heldFinish = reader.finished ?? false;
    this.#tap.error ??= this.#error(reader.error);
    const complete = reader.done || (ended && this.#tap.finished);
    if (complete && !this.#tap.done) text += this.#end();
    return text === '' ? undefined : this.#encoder.encode(text);
  }

  fail(error: ProxyError, requestId: string): string {
    return this.#parts.writer.fail(error, requestId);
  }

  goOn(): Continuation {
    this.#tap.goOn();
    // The continuation comes from another flow, which has already restored it.
    this.#restored = undefined;
    const encoded = (text: string): string => {
      if (this.#tap.error) throw this.#tap.error;
      return text;
    };
    return { push: (chunk) => encoded(this.#write([chunk])), end: () => encoded(this.#end()) };
  }

  #write(chunks: readonly ChatChunk[]): string {
    const { names } = this.#parts;
    let text = '';
    for (const given of chunks) {
      const chunk = names.chunk(given);
      text += this.#restored ? this.#writeRestored(this.#restored, chunk) : this.#writeOne(chunk);
      if (this.#tap.error) break;
    }
    return text;
  }

  /** @param chunk the next one, or none at the end */
  #writeRestored(restored: RestoredEvents, chunk?: ChatChunk): string {
    const events = chunk ? restored.push(chunk as unknown as JsonObject) : restored.end();
    return events.map((event) => this.#writeOne(event as unknown as ChatChunk)).join('');
  }

  /** Finish reasons are emitted last: whether the answer is valid is known before the client sees its end. */
  #writeOne(chunk: ChatChunk): string {
    const { writer, strict } = this.#parts;
    for (const { finish_reason: finish } of chunk.choices) {
      if (finish !== null) this.#tap.error ??= this.#tap.objection(finish, this.#target, { strict });
    }
    // Nothing follows the usage.
    if (chunk.choices.length === 0) this.#tap.error ??= this.#untold();
    if (this.#tap.error) return '';
    const written = writer.push(chunk);
    this.#tap.sealed ||= chunk.choices.some(({ delta }) => isSealed(delta));
    this.#tap.chunk(chunk, written.length || 1);
    return written;
  }

  /** The error of an answer that ends here without a finish reason. */
  #untold(): ProxyError | undefined {
    return this.#tap.finish === null ? this.#tap.objection(null, this.#target) : undefined;
  }

  #end(): string {
    const rest = this.#restored ? this.#writeRestored(this.#restored) : '';
    return rest + this.#ended();
  }

  #ended(): string {
    this.#tap.error ??= this.#untold();
    if (this.#tap.error) return '';
    this.#tap.done = true;
    const answer = this.#tap.sealed ? this.#tap.answer() : undefined;
    if (answer) this.#parts.keep(answer as unknown as ChatResponse);
    return this.#parts.writer.end();
  }

  #error(event: JsonObject | undefined): ProxyError | undefined {
    const found = event && classifyBody(event);
    if (!found) return undefined;
    const target = this.#target;
    return new ProxyError(found.fault, `Cannot complete the answer of ${target}: ${tellable(found)}`, {
      target,
      upstream: found.upstream,
    });
  }
}

/** Whether a delta contains something that must be sent back. */
function isSealed({ thinking_blocks: seals, extra_content: extra, tool_calls: calls }: ChatDelta): boolean {
  return (
    seals !== undefined ||
    extra !== undefined ||
    (calls?.some(({ extra_content }) => extra_content !== undefined) ?? false)
  );
}
