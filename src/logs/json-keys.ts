/** A few words recognised by their bytes, such as the names of an object's fields. */
export class JsonKeys<Word extends string> {
  readonly #known = new Map<number, Known<Word>>();
  /** The word found last. What followed it the last time usually follows it again. */
  #last: Known<Word>;

  constructor(words: readonly Word[]) {
    for (const word of words) {
      const bytes = Buffer.from(word);
      const hash = hashOf(bytes, 0, bytes.length);
      if (this.#known.has(hash)) throw new Error(`Cannot tell ${word} from another word by its hash`);
      this.#known.set(hash, { word, bytes, next: undefined });
    }
    this.#last = this.#known.values().next().value!;
  }

  /** The word at a position of a block; `undefined` for any other. */
  of(block: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): Word | undefined {
    const { next } = this.#last;
    if (next !== undefined && isAt(next.bytes, block, from, to)) {
      this.#last = next;
      return next.word;
    }
    const known = this.#known.get(hashOf(block, from, to));
    if (known === undefined || !isAt(known.bytes, block, from, to)) return undefined;
    this.#last = this.#last.next = known;
    return known.word;
  }
}

interface Known<Word> {
  readonly word: Word;
  readonly bytes: Buffer;
  next: Known<Word> | undefined;
}

function isAt(bytes: Buffer, block: Uint8Array, from: number, to: number): boolean {
  if (bytes.length !== to - from) return false;
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== block[from + index]) return false;
  return true;
}

function hashOf(block: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + block[at]!) | 0;
  return hash;
}
