import type { Endpoint } from '../../wire/endpoints.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { Usage } from '../../wire/usage.ts';
import type { Units } from '../../wire/units.ts';
import { chargedSum, chargedUsage } from '../../wire/charged.ts';
import { isObject, parseJson } from '../../wire/json.ts';

/** An answer up to this size is kept and parsed at its end, bytes. */
const WHOLE_BYTES = 64 * 1024;

/** The longest `usage`, bytes. */
const USAGE_BYTES = 4 * 1024;

const MARK = Buffer.from('"usage"');

/**
 * Searches for usage in an answer that is not parsed: images of many megabytes, audio, streams of either. It delays
 * nothing, and keeps no more than the beginning of the answer. A long answer is searched for the word `"usage"`, which
 * would have backslashes within a JSON string.
 */
export class UsageFinder {
  readonly #endpoint: Endpoint;
  readonly #requested: Units;
  readonly #found: JsonObject[] = [];
  #start: Uint8Array[] = [];
  #bytes = 0;
  /** A possible beginning of a usage object. */
  #carried: Buffer = Buffer.alloc(0);

  /** @param requested the amounts in the request */
  constructor(endpoint: Endpoint, requested: Units) {
    this.#endpoint = endpoint;
    this.#requested = requested;
  }

  /** Adds the next bytes of the answer, decompressed. */
  push(bytes: Uint8Array): void {
    const room = WHOLE_BYTES - this.#bytes;
    if (room > 0) this.#start.push(bytes.subarray(0, room));
    this.#bytes += bytes.length;
    this.#search(Buffer.concat([this.#carried, bytes]));
  }

  /** What is known so far. */
  get usage(): Usage {
    const start = Buffer.concat(this.#start).toString();
    const requested = this.#requested;
    const whole = this.#bytes <= WHOLE_BYTES ? parseJson(start) : undefined;
    if (isObject(whole)) return chargedUsage(this.#endpoint, whole, requested);
    // A whole answer has one usage, at its end; in a stream each event may have one for its part.
    if (!start.trimStart().startsWith('{')) return chargedSum(this.#endpoint, this.#found, requested);
    const duration = /"duration"\s*:\s*"?([\d.]+)/.exec(start)?.[1];
    return chargedUsage(this.#endpoint, { usage: this.#found.at(-1), duration }, requested);
  }

  #search(block: Buffer): void {
    let from = 0;
    for (let at = block.indexOf(MARK); at >= 0; at = block.indexOf(MARK, from)) {
      const object = objectBehind(block, at);
      if (object === 'incomplete') {
        this.#carried = Buffer.from(block.subarray(at));
        return;
      }
      if (object) this.#found.push(object);
      from = at + MARK.length;
    }
    this.#carried = Buffer.from(block.subarray(Math.max(from, block.length - MARK.length + 1)));
  }
}

/** The object that follows a match; `undefined` when there is none. */
function objectBehind(block: Buffer, at: number): JsonObject | 'incomplete' | undefined {
  const text = block.toString('latin1', at + MARK.length, at + USAGE_BYTES);
  const ended = block.length >= at + USAGE_BYTES;
  const begun = /^\s*:\s*\{/.exec(text);
  if (!begun) return ended || !/^\s*(?::\s*)?$/.test(text) ? undefined : 'incomplete';
  let depth = 0;
  // It contains numbers and short names: no string in it contains a brace.
  for (let end = begun[0].length - 1; end < text.length; end += 1) {
    if (text[end] === '{') depth += 1;
    else if (text[end] === '}' && --depth === 0) {
      const value = parseJson(text.slice(begun[0].length - 1, end + 1));
      return isObject(value) ? value : undefined;
    }
  }
  return ended ? undefined : 'incomplete';
}
