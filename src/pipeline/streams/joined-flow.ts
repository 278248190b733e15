import type { Events } from '../../wire/long-events.ts';
import type { ChatChunk } from '../../wire/chat.ts';
import type { Joiner } from '../../wire/join.ts';
import type { SseEvent } from '../../wire/sse.ts';
import type { Turns } from '../../turns.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Flow } from './flow.ts';
import type { Answering, Continuation } from '../lanes/lane.ts';
import type { Tap } from './tap.ts';
import { ProxyError } from '../../errors.ts';
import { areLong, readAhead } from '../../wire/event-json.ts';
import { Diverged } from '../../wire/join.ts';
import { stringOf } from '../../wire/json.ts';
import { ChunkReader } from '../../wire/openai/stream.ts';
import { SseReader } from '../../wire/sse.ts';
import { addUsage, encodeOpenaiUsage, openaiUsage } from '../../wire/usage.ts';

export interface JoinedFlowOptions {
  /** The continuation, as chat chunks. */
  readonly inner: Flow;
  /** What its target had sent before it was taken. */
  readonly held: Uint8Array | undefined;
  /** The answer until it broke, whose tap sees the whole answer. */
  readonly first: Flow;
  readonly tap: Tap;
  /** Encodes the rest for the client. */
  readonly rest: Continuation;
  readonly joiner: Joiner;
  /** The tokens of the preceding parts. */
  readonly before: Usage | undefined;
  /** Whether the client gets the usage if the continuation has no event for it. */
  readonly reportsUsage: boolean;
  readonly target: string;
  readonly turns: Turns;
}

/**
 * A continuation by another target, converted to the rest of the answer that the client already has in part, in that
 * client's protocol.
 */
export class JoinedFlow implements Flow {
  readonly #options: JoinedFlowOptions;
  readonly #events = new SseReader();
  readonly #encoder = new TextEncoder();
  readonly #reader: ChunkReader;
  /** The fields that identify the answer for a chat client. */
  readonly #name: Pick<ChatChunk, 'id' | 'object' | 'created' | 'model'>;
  #held: Uint8Array | undefined;
  #reportedUsage = false;
  /** The error that occurred after what was written. */
  #error: unknown;

  constructor(options: JoinedFlowOptions) {
    this.#options = options;
    this.#held = options.held;
    this.#name = options.tap.name();
    this.#reader = new ChunkReader({ created: this.#name.created, newId: () => this.#name.id, quirks: {} });
  }

  get tap(): Tap {
    return this.#options.tap;
  }

  get usage(): Usage | undefined {
    return this.tap.usage;
  }

  async next(): Promise<Uint8Array | undefined> {
    if (this.#error) throw this.#error;
    const bytes = this.#held ?? (await this.#options.inner.next());
    this.#held = undefined;
    if (!bytes) return undefined;
    const events = this.#events.push(bytes);
    return this.#fold(areLong(events) ? await this.#options.turns.run(readAhead(events)) : events);
  }

  finish(): Uint8Array | undefined {
    if (this.#error) throw this.#error;
    const rest = this.#options.inner.finish();
    const bytes = this.#fold([...(rest ? this.#events.push(rest) : []), ...this.#events.end()]);
    if (this.#error) throw this.#error;
    return bytes;
  }

  fail(error: ProxyError, requestId: string): Events {
    return this.#options.first.fail(error, requestId);
  }

  goOn(client: Answering): Continuation | undefined {
    return this.#options.first.goOn(client);
  }

  drain(): Promise<void> {
    return this.#options.inner.drain();
  }

  cancel(reason: unknown): Promise<void> {
    return this.#options.inner.cancel(reason);
  }

  #fold(events: readonly SseEvent[]): Uint8Array {
    const { tap } = this;
    let text = '';
    try {
      for (const event of events) {
        for (const chunk of this.#reader.push(event)) text += this.#write(chunk);
        if (this.#reader.done && !tap.done) text += this.#end();
      }
    } catch (error) {
      if (text === '') throw error;
      this.#error = error;
    }
    return this.#encoder.encode(text);
  }

  /** The new part of a continuation's chunk, with the identity of the first part. */
  #write(chunk: ChatChunk): string {
    const { rest } = this.#options;
    const [choice] = chunk.choices;
    if (!choice) return this.#tellUsage(chunk.usage);
    // Reasoning of the continuation does not belong to the answer that continues.
    const { role: _, content, reasoning_content: _r, thinking_blocks: _s, ...others } = choice.delta;
    const other = Object.values(others).some((value) => value !== null && value !== '');
    const ends = choice.finish_reason !== null || other;
    const text = this.#join(stringOf(content) ?? '', ends);
    const piece = (delta: ChatChunk['choices'][number]['delta'], finish: string | null) =>
      rest.push({ ...this.#name, choices: [{ ...choice, delta, finish_reason: finish }] });
    const prefix = text === '' ? '' : piece({ content: text }, null);
    return ends ? prefix + piece(others, choice.finish_reason) : prefix;
  }

  #end(): string {
    const { inner, rest, before, reportsUsage } = this.#options;
    this.tap.untold = inner.tap?.finish === null;
    const content = this.#join('', true);
    const choice = { index: 0, delta: { content }, finish_reason: null, logprobs: null };
    const prefix = content === '' ? '' : rest.push({ ...this.#name, choices: [choice] });
    const used = before && reportsUsage && !this.#reportedUsage ? this.#tellUsage(undefined) : '';
    return prefix + used + rest.end();
  }

  /** The tokens of all parts, each counted as in the record. */
  #tellUsage(reported: unknown): string {
    const { before, inner, rest } = this.#options;
    const own = inner.tap?.usage ?? openaiUsage(reported);
    const usage = own ? addUsage(before, own) : before;
    this.#reportedUsage = true;
    return usage ? rest.push({ ...this.#name, choices: [], usage: encodeOpenaiUsage(usage) }) : '';
  }

  #join(content: string, ends: boolean): string {
    const { joiner, target } = this.#options;
    try {
      return joiner.push(content) + (ends ? joiner.end() : '');
    } catch (cause) {
      if (!(cause instanceof Diverged)) throw cause;
      const message = `Cannot continue the answer at ${target}: its continuation does not match what was already sent`;
      throw new ProxyError('unjoinable', message, { target, cause });
    }
  }
}
