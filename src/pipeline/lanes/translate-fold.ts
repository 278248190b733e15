import type { Events } from '../../wire/long-events.ts';
import type { ChatChunk, ChatDelta, ChatResponse } from '../../wire/chat.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { ChatReader, ChatWriter, Framing } from '../../wire/protocol.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { Steps } from '../../turns.ts';
import type { Continuation, Fold, Folded } from './lane.ts';
import { ProxyError } from '../../errors.ts';
import { isSteps } from '../../turns.ts';
import { classifyBody, safeMessage } from '../../wire/classify.ts';
import { areLong, eventJson, readAhead, unreadable } from '../../wire/event-json.ts';
import { PIECE_BOUNDS } from '../../wire/json.ts';
import { readingFirst } from '../../wire/json-ahead.ts';
import { sizeOf } from '../../wire/json-size.ts';
import { excessIn } from '../../wire/json-fields.ts';
import { EventList, shortLength } from '../../wire/long-events.ts';
import { shortChunks } from '../../wire/short-chunks.ts';
import type { OwnNames } from '../../wire/facts/tool-names.ts';
import type { RestoredEvents } from '../../redact/outward/restore-events.ts';
import type { Tap } from '../streams/tap.ts';

/** Longer arguments of calls are parsed in steps, characters. */
const LONG_CALLS = 64 * 1024;

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
  #restored: RestoredEvents | undefined;
  /** The length of the arguments of calls so far, characters. */
  #callLength = 0;

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
    const inSteps = areLong(events) || this.#hasLongCalls;
    return inSteps ? this.#readInSteps(events, ended) : this.#read(events, ended);
  }

  /** Long events are parsed and translated in steps: each piece of a long text is written on its own. */
  *#readInSteps(events: readonly SseEvent[], ended: boolean): Steps<Folded> {
    const list = new EventList();
    for (const event of yield* readAhead(events)) {
      const read = (yield* excessIn(eventJson(event), event.data)) ? unreadable(event) : event;
      for (const chunk of this.#parts.reader.push(read).flatMap(shortChunks)) {
        yield* readingFirst(this.#readAt(chunk), PIECE_BOUNDS, () => this.#write([chunk], list));
        yield;
      }
      if (this.#stopped) break;
    }
    const encoded = this.#conclude(ended, list);
    return isSteps(encoded) ? yield* encoded : encoded;
  }

  /** Whether arguments of calls would be parsed for too long at their end. */
  get #hasLongCalls(): boolean {
    return this.#callLength > LONG_CALLS;
  }

  /** The texts that are parsed when a chunk is written: at the end, the arguments of calls. */
  #readAt({ choices }: ChatChunk): readonly string[] {
    if (!this.#hasLongCalls || choices.every(({ finish_reason: finish }) => finish === null)) return [];
    return this.#tap.callTexts;
  }

  #read(events: readonly SseEvent[], ended: boolean): Folded | Steps<Folded> {
    const list = new EventList();
    for (const event of events) {
      this.#write(this.#parts.reader.push(event), list);
      if (this.#stopped) break;
    }
    return this.#conclude(ended, list);
  }

  /** Whether an error was found: what follows it is not translated. */
  get #stopped(): boolean {
    return this.#parts.reader.error !== undefined || this.#tap.error !== undefined;
  }

  /** Adds what follows the events read so far. @param list the client's events */
  #conclude(ended: boolean, list: EventList): Folded | Steps<Folded> {
    const { reader } = this.#parts;
    if (ended && !reader.error) this.#write(reader.end(), list);
    this.#tap.malformed = reader.malformed;
    this.#tap.early = reader.usage;
    this.#tap.heldFinish = reader.finished ?? false;
    this.#tap.error ??= this.#error(reader.error);
    const complete = reader.done || (ended && this.#tap.finished);
    if (complete && !this.#tap.done) this.#end(list);
    return list.encoded();
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#parts.writer.fail(error, requestId);
  }

  goOn(): Continuation {
    this.#tap.goOn();
    // The continuation comes from another flow, which has already restored it.
    this.#restored = undefined;
    const written = (write: (list: EventList) => void): string => {
      const list = new EventList();
      write(list);
      if (this.#tap.error) throw this.#tap.error;
      return list.text();
    };
    return {
      push: (chunk) => written((list) => this.#write([chunk], list)),
      end: () => written((list) => this.#end(list)),
    };
  }

  #write(chunks: readonly ChatChunk[], list: EventList): void {
    const { names } = this.#parts;
    for (const given of chunks) {
      const chunk = names.chunk(given);
      if (this.#restored) this.#writeRestored(this.#restored.push(chunk as unknown as JsonObject), list);
      else this.#writeOne(chunk, list);
      if (this.#tap.error) break;
    }
  }

  #writeRestored(events: readonly JsonObject[], list: EventList): void {
    for (const event of events) this.#writeOne(event as unknown as ChatChunk, list);
  }

  /** Finish reasons are emitted last: whether the answer is valid is known before the client sees its end. */
  #writeOne(chunk: ChatChunk, list: EventList): void {
    const { writer, strict } = this.#parts;
    for (const { finish_reason: finish } of chunk.choices) {
      if (finish !== null) this.#tap.error ??= this.#tap.objection(finish, this.#target, { strict });
    }
    // Nothing follows the usage.
    if (chunk.choices.length === 0) this.#tap.error ??= this.#untold();
    if (this.#tap.error) return;
    const written = writer.push(chunk);
    list.add(written);
    this.#tap.sealed ||= chunk.choices.some(({ delta }) => isSealed(delta));
    for (const { delta } of chunk.choices) this.#callLength += callLength(delta);
    // What is not written yet, or in an event that is not text yet, is kept as well.
    this.#tap.chunk(chunk, Math.max(shortLength(written), sizeOf(chunk.choices, Infinity)));
  }

  /** The error of an answer that ends here without a finish reason. */
  #untold(): ProxyError | undefined {
    return this.#tap.finish === null ? this.#tap.objection(null, this.#target) : undefined;
  }

  #end(list: EventList): void {
    if (this.#restored) this.#writeRestored(this.#restored.end(), list);
    this.#tap.error ??= this.#untold();
    if (this.#tap.error) return;
    this.#tap.done = true;
    const answer = this.#tap.sealed ? this.#tap.answer() : undefined;
    if (answer) this.#parts.keep(answer as unknown as ChatResponse);
    list.add(this.#parts.writer.end());
  }

  #error(event: JsonObject | undefined): ProxyError | undefined {
    const found = event && classifyBody(event);
    if (!found) return undefined;
    const target = this.#target;
    return new ProxyError(found.fault, `Cannot complete the answer of ${target}: ${safeMessage(found)}`, {
      target,
      upstream: found.upstream,
    });
  }
}

/** The length of the pieces of arguments in a delta, characters. */
function callLength({ tool_calls: calls }: ChatDelta): number {
  return calls?.reduce((length, { function: called }) => length + (called?.arguments?.length ?? 0), 0) ?? 0;
}

/** Whether a delta contains something that must be sent back. */
function isSealed({ thinking_blocks: seals, extra_content: extra, tool_calls: calls }: ChatDelta): boolean {
  return (
    seals !== undefined ||
    extra !== undefined ||
    (calls?.some(({ extra_content }) => extra_content !== undefined) ?? false)
  );
}
