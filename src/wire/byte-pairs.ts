import type { Steps } from '../turns.ts';
import { atOnce } from '../turns.ts';

/** No merge at this position. Ranks are below 2^18. */
const NONE = -1;

/** The longest piece that is merged as a whole, bytes: positions must fit into the lower part of a key. */
const MAX_PIECE = 2 ** 14;

/** How many characters of a long text are processed between two pauses. */
const STRIDE = 2 ** 14;

/**
 * Counts tokens by byte-pair encoding in n log n of the length of a text, where gpt-tokenizer's own merge is quadratic
 * in the length of a piece: half a minute for two million letters. Up to 16 KiB without a break are counted exactly; a
 * longer run is first cut into pieces of that size, and each cut may add a token.
 */
export class BytePairs {
  /** Tokens by their bytes, each byte as one character. */
  readonly #ranks = new Map<string, number>();
  readonly #pattern: RegExp;
  /**
   * The positions in a piece at which a token begins, as a doubly linked list; `#rank` is that of a token merged with
   * the next.
   */
  readonly #next = new Int32Array(MAX_PIECE + 1);
  readonly #last = new Int32Array(MAX_PIECE + 1);
  readonly #rank = new Int32Array(MAX_PIECE + 1);
  /** Pending merges as rank * MAX_PIECE + position: lowest rank first, and leftmost among equal ones. */
  readonly #heap = new Heap(3 * MAX_PIECE);

  /**
   * @param tokens by rank: text, or bytes if they are not valid UTF-8
   * @param pattern splits text into pieces that are never merged with each other; global
   */
  constructor(tokens: readonly (string | readonly number[])[], pattern: RegExp) {
    this.#pattern = pattern;
    tokens.forEach((token, rank) => {
      this.#ranks.set(typeof token === 'string' ? bytesOf(token) : String.fromCharCode(...token), rank);
    });
  }

  /** The number of tokens of a text. */
  countAll(text: string): number {
    return atOnce(this.count(text));
  }

  /** The same in steps of about a millisecond, between which other work can run. */
  *count(text: string): Steps<number> {
    let tokens = 0;
    let pauseAt = STRIDE;
    for (const { 0: piece, index } of text.matchAll(this.#pattern)) {
      if (index > pauseAt) {
        pauseAt = index + STRIDE;
        yield;
      }
      const bytes = bytesOf(piece);
      if (bytes.length <= MAX_PIECE) {
        tokens += this.#ranks.has(bytes) ? 1 : this.#merge(bytes);
        continue;
      }
      for (let at = 0, end = 0; at < bytes.length; at = end) {
        end = cutBefore(bytes, at + MAX_PIECE);
        tokens += this.#merge(bytes.slice(at, end));
        yield;
      }
    }
    return tokens;
  }

  /** @returns the tokens of a piece of at most MAX_PIECE bytes */
  #merge(bytes: string): number {
    let tokens = bytes.length;
    this.#heap.clear();
    for (let at = 0; at < bytes.length; at += 1) {
      this.#next[at] = at + 1;
      this.#last[at] = at - 1;
    }
    for (let at = 0; at < bytes.length; at += 1) this.#offer(bytes, at);
    for (let key = this.#heap.pop(); key !== undefined; key = this.#heap.pop()) {
      const at = key % MAX_PIECE;
      // One of the two was merged with another token meanwhile.
      if (this.#rank[at] !== Math.floor(key / MAX_PIECE)) continue;
      const right = this.#next[at]!;
      const after = this.#next[right]!;
      this.#rank[right] = NONE;
      this.#next[at] = after;
      this.#last[after] = at;
      tokens -= 1;
      this.#offer(bytes, at);
      const before = this.#last[at]!;
      if (before >= 0) this.#offer(bytes, before);
    }
    return tokens;
  }

  /** Queues the merge of the token at this position with the next one, if together they are a token. */
  #offer(bytes: string, at: number): void {
    const right = this.#next[at]!;
    const pair = right < bytes.length ? bytes.slice(at, this.#next[right]) : '';
    const rank = this.#ranks.get(pair) ?? NONE;
    this.#rank[at] = rank;
    if (rank !== NONE) this.#heap.push(rank * MAX_PIECE + at);
  }
}

/** A priority queue of numbers, smallest first. */
class Heap {
  readonly #values: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
  }

  clear(): void {
    this.#size = 0;
  }

  push(value: number): void {
    const values = this.#values;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (values[parent]! <= value) break;
      values[at] = values[parent]!;
      at = parent;
    }
    values[at] = value;
  }

  pop(): number | undefined {
    if (this.#size === 0) return undefined;
    const values = this.#values;
    const [top] = values;
    const moved = values[--this.#size]!;
    let at = 0;
    for (let child = 1; child < this.#size; child = 2 * at + 1) {
      if (child + 1 < this.#size && values[child + 1]! < values[child]!) child += 1;
      if (values[child]! >= moved) break;
      values[at] = values[child]!;
      at = child;
    }
    values[at] = moved;
    return top;
  }
}

/** UTF-8 with each byte as one character; a lone surrogate is encoded as the replacement character. */
function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

const ASCII = /^[\0-\x7f]*$/;

/** The last position up to `end` at which a character begins. */
function cutBefore(bytes: string, end: number): number {
  let at = Math.min(end, bytes.length);
  while (at < bytes.length && (bytes.charCodeAt(at) & 0xc0) === 0x80) at -= 1;
  return at;
}
