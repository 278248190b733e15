import type { Inbound } from './inbound.ts';
import type { Fold, Lane, Prepared, WholeAnswer } from './lane.ts';
import type { Tap } from './tap.ts';
import { ProxyError } from '../errors.ts';
import { joined, lastEventEnd } from '../wire/frames.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../wire/json.ts';
import { spliceMultipart } from '../wire/multipart.ts';
import { spliceModel } from '../wire/splice.ts';
import { SseReader } from '../wire/sse.ts';
import { openaiUsage } from '../wire/usage.ts';
import { judge } from './judge.ts';

const DONE = new TextEncoder().encode('data: [DONE]\n\n');
/** An event that does not end within this many bytes is none. */
const MAX_EVENT = 8 * 1024 ** 2;

/**
 * Client and provider speak the same protocol: bytes pass unchanged. The request changes in its model name
 * alone; the answer in nothing.
 */
export const relay: Lane = {
  kind: 'relay',
  prepare(inbound: Inbound, model: string): Prepared {
    return {
      body: withModel(inbound, model),
      contentType: inbound.contentType,
      headers: inbound.headers,
      dropped: [],
      whole: (text, target) => readWhole(text, target),
      fold: (tap, target) => new RelayFold(tap, target),
    };
  },
};

function withModel(
  { bytes, json, contentType, model }: Inbound,
  upstream: string,
): Uint8Array<ArrayBuffer> | string {
  if (model === upstream) return bytes;
  return json ? spliceModel(json.text, upstream) : spliceMultipart(bytes, contentType, 'model', upstream);
}

function readWhole(text: string, target: string): WholeAnswer {
  const value = parseJson(text);
  if (!isObject(value)) {
    throw new ProxyError('malformed', `Cannot use the answer of ${target}: it is not a JSON object`, {
      target,
    });
  }
  judge(value, target);
  const choice = objectOf(listOf(value.choices)[0]);
  return { text: undefined, finish: stringOf(choice.finish_reason) ?? null, usage: openaiUsage(value.usage) };
}

/**
 * Passes whole events on as they came. The tail of an event that is still incomplete waits for its rest: no
 * client can use it, and a stream that is cut there can still end with a readable error.
 */
class RelayFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #events = new SseReader();
  #tail: Uint8Array | undefined;

  constructor(tap: Tap, target: string) {
    this.#tap = tap;
    this.#target = target;
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    const held = joined(this.#tail, bytes);
    const end = lastEventEnd(held);
    this.#tail = end < held.length ? held.subarray(end) : undefined;
    if (this.#tail && this.#tail.length > MAX_EVENT) {
      throw new ProxyError('malformed', `Cannot relay the stream of ${this.#target}: an event is too long`, {
        target: this.#target,
      });
    }
    if (end === 0) return undefined;
    const whole = end === held.length ? held : held.subarray(0, end);
    for (const { data } of this.#events.push(whole)) this.#tap.event(data, this.#target);
    return whole;
  }

  end(): Uint8Array | undefined {
    // Some servers leave out the last blank line: what is left may still be an event.
    const tail = this.#tail;
    if (tail) for (const { data } of this.#events.push(tail)) this.#tap.event(data, this.#target);
    for (const { data } of this.#events.end()) this.#tap.event(data, this.#target);
    if (!this.#tap.done && !this.#tap.finished) return undefined;
    const rest = tail ?? new Uint8Array();
    return this.#tap.done ? rest : joined(tail && joined(tail, new TextEncoder().encode('\n\n')), DONE);
  }
}
