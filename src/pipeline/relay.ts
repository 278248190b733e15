import type { Endpoint } from '../wire/endpoints.ts';
import type { Inbound } from './inbound.ts';
import type { Fold, Lane, Prepared, WholeAnswer } from './lane.ts';
import type { Tap } from './tap.ts';
import { ProxyError } from '../errors.ts';
import { eachEvent, isLineEnd, joined, lastEventEnd } from '../wire/frames.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../wire/json.ts';
import { spliceMultipart } from '../wire/multipart.ts';
import { spliceModel } from '../wire/splice.ts';
import { SseReader } from '../wire/sse.ts';
import { openaiUsage } from '../wire/usage.ts';
import { judge } from './judge.ts';

const DONE = new TextEncoder().encode('data: [DONE]\n\n');
const LINE_END = new TextEncoder().encode('\n');
const BLANK_LINE = new TextEncoder().encode('\n\n');
/** An event that does not end within this many bytes is none. */
const MAX_EVENT = 8 * 1024 ** 2;

/**
 * Client and provider speak the same protocol: bytes pass unchanged. The request changes in its model name
 * alone; the answer in nothing.
 */
export const relay: Lane = {
  kind: 'relay',
  prepare(inbound: Inbound, model: string): Prepared {
    const { 'accept-encoding': _, ...uncompressed } = inbound.headers;
    return {
      body: withModel(inbound, model),
      contentType: inbound.contentType,
      // A compressed stream could not end in a readable error.
      headers: inbound.stream ? uncompressed : inbound.headers,
      dropped: [],
      whole: (text, target) => readWhole(text, target, CHOOSING.includes(inbound.endpoint)),
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

/** Endpoints whose answers are choices. */
const CHOOSING: readonly Endpoint[] = ['chat', 'completions'];

function readWhole(text: string, target: string, chooses: boolean): WholeAnswer {
  const value = parseJson(text);
  if (!isObject(value)) throw unusable(target, 'it is not a JSON object');
  judge(value, target);
  const choice = objectOf(listOf(value.choices)[0]);
  if (chooses && Object.keys(choice).length === 0) throw unusable(target, 'it has no choices');
  return { text: undefined, finish: stringOf(choice.finish_reason) ?? null, usage: openaiUsage(value.usage) };
}

function unusable(target: string, state: string): ProxyError {
  return new ProxyError('malformed', `Cannot use the answer of ${target}: ${state}`, { target });
}

/**
 * Passes whole events on as they came. The tail of an event that is still incomplete waits for its rest: no
 * client can use it, and a stream that is cut there can still end with a readable error. Events that are no JSON
 * are dropped, and so is an error event: what becomes of the answer then is not the provider's to say.
 */
class RelayFold implements Fold {
  readonly #tap: Tap;
  readonly #target: string;
  readonly #events = new SseReader();
  #tail: Uint8Array | undefined;
  /** Whether something was shown: from then on a byte order mark is no longer one. */
  #begun = false;

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
    return this.#show(end === held.length ? held : held.subarray(0, end));
  }

  end(): Uint8Array | undefined {
    // Some servers leave out the last blank line: what is left may still be an event.
    const tail = this.#tail;
    this.#tail = undefined;
    const rest = tail?.every(isLineEnd) ? tail : tail && this.#show(joined(tail, BLANK_LINE));
    if (this.#tap.done || !this.#tap.finished) return rest;
    this.#tap.done = true;
    return joined(rest, DONE);
  }

  /** Shows whole events to the tap, and gives those that may go on. */
  #show(whole: Uint8Array): Uint8Array | undefined {
    const passes: boolean[] = [];
    for (const { data } of this.#events.push(whole)) passes.push(this.#tap.event(data, this.#target));
    const kept = passes.includes(false) ? this.#kept(whole, passes) : whole;
    this.#begun = true;
    return kept;
  }

  /** @param passes a verdict for each event that has data; a comment has none and stays */
  #kept(whole: Uint8Array, passes: boolean[]): Uint8Array | undefined {
    let kept: Uint8Array | undefined;
    let begun = this.#begun;
    for (const event of eachEvent(whole)) {
      const alone = begun ? joined(LINE_END, event) : event;
      begun = true;
      if (new SseReader().push(alone).length === 0 || passes.shift()) kept = joined(kept, event);
    }
    return kept;
  }
}
