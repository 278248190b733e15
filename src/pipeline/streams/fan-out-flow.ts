import type { ProxyError } from '../../errors.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Streamed } from '../attempts/attempting.ts';
import type { Flow } from './flow.ts';
import type { Tap } from './tap.ts';
import { isObject, parseJson } from '../../wire/json.ts';
import { chatErrorEvent } from '../../wire/openai/error.ts';
import { JoinedChunks } from '../../wire/openai/several.ts';
import { SseReader } from '../../wire/sse.ts';
import { addUsage } from '../../wire/usage.ts';

/** One of the streams. */
interface Branch {
  readonly index: number;
  readonly flow: Flow;
  readonly events: SseReader;
  /** Its next piece. */
  next: Promise<{ readonly branch: Branch; readonly bytes: Uint8Array | undefined }> | undefined;
  /** Whether it has ended. */
  done: boolean;
}

export interface FanOutFlowOptions {
  readonly streams: readonly Streamed[];
  /** Sees the answers of all of them. */
  readonly tap: Tap;
  readonly reportsUsage: boolean;
  readonly target: string;
}

/** Several streams with one choice each as one stream with several, in order of arrival. */
export class FanOutFlow implements Flow {
  readonly tap: Tap;
  readonly #target: string;
  readonly #branches: readonly Branch[];
  readonly #chunks: JoinedChunks;
  readonly #encoder = new TextEncoder();
  /** What was read until the first content of each arrived. */
  #held: readonly (readonly [Branch, Uint8Array])[];

  constructor({ streams, tap, reportsUsage, target }: FanOutFlowOptions) {
    this.tap = tap;
    this.#target = target;
    this.#chunks = new JoinedChunks(reportsUsage);
    this.#branches = streams.map(({ flow }, index) => ({
      index,
      flow,
      events: new SseReader(),
      next: undefined,
      done: false,
    }));
    this.#held = streams.flatMap(({ held }, index) =>
      held ? [[this.#branches[index]!, held] as const] : [],
    );
  }

  get usage(): Usage | undefined {
    let sum: Usage | undefined;
    for (const { flow } of this.#branches) if (flow.usage) sum = addUsage(sum, flow.usage);
    return sum;
  }

  async next(): Promise<Uint8Array | undefined> {
    const held = this.#held;
    this.#held = [];
    if (held.length > 0)
      return this.#encoded(held.map(([branch, bytes]) => this.#read(branch, bytes)).join(''));
    const open = this.#branches.filter(({ done }) => !done);
    if (open.length === 0) return undefined;
    for (const branch of open) branch.next ??= branch.flow.next().then((bytes) => ({ branch, bytes }));
    const { branch, bytes } = await Promise.race(open.map(({ next }) => next!));
    branch.next = undefined;
    if (bytes === undefined || branch.flow.tap?.done) return this.#encoded(this.#end(branch, bytes));
    return this.#encoded(this.#read(branch, bytes));
  }

  finish(): Uint8Array | undefined {
    if (this.tap.done) return undefined;
    const { usage } = this;
    const encoded = this.#chunks.usage(usage);
    const text = encoded ? this.#write(encoded) : '';
    this.tap.early = usage;
    this.tap.done = true;
    return this.#encoded(`${text}data: [DONE]\n\n`);
  }

  fail(error: ProxyError, requestId: string): string {
    return chatErrorEvent(error, requestId);
  }

  goOn(): undefined {
    return undefined;
  }

  async drain(): Promise<void> {
    await Promise.all(this.#branches.map(({ flow }) => flow.drain()));
  }

  async cancel(reason: unknown): Promise<void> {
    // Their pending pieces are discarded.
    for (const { next } of this.#branches) next?.catch(() => undefined);
    await Promise.all(this.#branches.map(({ flow }) => flow.cancel(reason)));
  }

  /** The rest of a stream that has ended. @throws ProxyError when it is not complete */
  #end(branch: Branch, bytes: Uint8Array | undefined): string {
    branch.done = true;
    const { flow } = branch;
    const last = bytes ? this.#read(branch, bytes) : '';
    if (bytes && flow.tap?.done) {
      void flow.drain();
      return last;
    }
    const rest = flow.finish();
    return last + (rest ? this.#read(branch, rest) : '');
  }

  #read(branch: Branch, bytes: Uint8Array): string {
    let text = '';
    for (const { data } of branch.events.push(bytes)) {
      const value = data === '[DONE]' ? undefined : parseJson(data);
      const chunk = isObject(value) ? this.#chunks.chunk(value, branch.index) : undefined;
      if (chunk) text += this.#write(chunk);
    }
    if (branch.flow.tap?.done) branch.done = true;
    return text;
  }

  #write(chunk: JsonObject): string {
    const data = JSON.stringify(chunk);
    this.tap.event({ data }, this.#target);
    return `data: ${data}\n\n`;
  }

  #encoded(text: string): Uint8Array {
    return this.#encoder.encode(text);
  }
}
