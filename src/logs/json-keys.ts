/** A few words recognised by their bytes, such as the names of an object's fields. */
export class JsonKeys<Word extends string> {
  readonly #known = new Map<number, { readonly word: Word; readonly bytes: Buffer }>();

  constructor(words: readonly Word[]) {
    for (const word of words) {
      const bytes = Buffer.from(word);
      const hash = hashOf(bytes, 0, bytes.length);
      if (this.#known.has(hash)) throw new Error(`Cannot tell ${word} from another word by its hash`);
      this.#known.set(hash, { word, bytes });
    }
  }

  /** The word at a position of a block; `undefined` for any other. */
  of(block: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): Word | undefined {
    const known = this.#known.get(hashOf(block, from, to));
    if (known === undefined || known.bytes.length !== to - from) return undefined;
    const { bytes, word } = known;
    for (let index = 0; index < bytes.length; index++)
      if (bytes[index] !== block[from + index]) return undefined;
    return word;
  }
}

function hashOf(block: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + block[at]!) | 0;
  return hash;
}
