import type { Flow } from './flow.ts';
import type { Tap } from './tap.ts';
import type { Joiner } from '../wire/join.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Usage } from '../wire/usage.ts';
import { ProxyError } from '../errors.ts';
import { Diverged } from '../wire/join.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../wire/json.ts';
import { SseReader } from '../wire/sse.ts';
import { addUsage, encodeOpenaiUsage, openaiUsage } from '../wire/usage.ts';

export interface JoinedFlowOptions {
  /** The continuation, as chat chunks. */
  readonly inner: Flow;
  /** What its target had sent before it was taken. */
  readonly held: Uint8Array | undefined;
  /** The tap of the answer's first part; it sees the whole answer. */
  readonly tap: Tap;
  readonly joiner: Joiner;
  /** The fields that name the answer: id, model, created. */
  readonly name: JsonObject;
  /** Tokens of the parts before. */
  readonly before: Usage | undefined;
  readonly target: string;
}

/** A continuation at another target, turned into the rest of the answer that the client already has in part. */
export class JoinedFlow implements Flow {
  readonly #options: JoinedFlowOptions;
  readonly #events = new SseReader();
  readonly #encoder = new TextEncoder();
  #held: Uint8Array | undefined;

  constructor(options: JoinedFlowOptions) {
    this.#options = options;
    this.#held = options.held;
  }

  get tap(): Tap {
    return this.#options.tap;
  }

  async next(): Promise<Uint8Array | undefined> {
    const bytes = this.#held ?? (await this.#options.inner.next());
    this.#held = undefined;
    return bytes && this.#fold(this.#events.push(bytes));
  }

  finish(): Uint8Array | undefined {
    const rest = this.#options.inner.finish();
    return this.#fold([...(rest ? this.#events.push(rest) : []), ...this.#events.end()]);
  }

  drain(): Promise<void> {
    return this.#options.inner.drain();
  }

  cancel(reason: unknown): Promise<void> {
    return this.#options.inner.cancel(reason);
  }

  #fold(events: ReturnType<SseReader['push']>): Uint8Array {
    const { tap } = this.#options;
    let text = '';
    for (const { data } of events) {
      const chunk = data === '[DONE]' ? undefined : parseJson(data);
      for (const piece of isObject(chunk) ? this.#pieces(chunk) : []) {
        const json = JSON.stringify(piece);
        tap.chunk(piece, json.length);
        text += `data: ${json}\n\n`;
      }
      if (data !== '[DONE]') continue;
      tap.done = true;
      text += 'data: [DONE]\n\n';
    }
    return this.#encoder.encode(text);
  }

  /** One chunk of the continuation as what is new in it, under the name of the first part. */
  #pieces(chunk: JsonObject): JsonObject[] {
    const base = { ...chunk, ...this.#options.name, ...this.#usage(chunk) };
    const choice = listOf(chunk.choices)[0];
    if (!isObject(choice)) return [base];
    const { role: _, content, reasoning: _r, reasoning_content: _c, ...rest } = objectOf(choice.delta);
    const others = Object.entries(rest).filter(([, value]) => value !== null && value !== '');
    const ends = stringOf(choice.finish_reason) !== undefined || others.length > 0;
    const pieces: JsonObject[] = [];
    const text = this.#join(stringOf(content) ?? '', ends);
    const piece = (delta: JsonObject, finish: unknown) => ({
      ...base,
      choices: [{ ...choice, delta, finish_reason: finish }],
    });
    if (text !== '') pieces.push(piece({ content: text }, null));
    if (ends) pieces.push(piece(Object.fromEntries(others), choice.finish_reason ?? null));
    return pieces;
  }

  #join(content: string, ends: boolean): string {
    const { joiner, target } = this.#options;
    try {
      return joiner.push(content) + (ends ? joiner.end() : '');
    } catch (cause) {
      if (!(cause instanceof Diverged)) throw cause;
      const message = `Cannot go on with the answer at ${target}: it began again and went another way`;
      throw new ProxyError('unjoinable', message, { target, cause });
    }
  }

  #usage({ usage }: JsonObject): JsonObject {
    const last = openaiUsage(usage);
    if (!last) return {};
    return { usage: { ...objectOf(usage), ...encodeOpenaiUsage(addUsage(this.#options.before, last)) } };
  }
}
