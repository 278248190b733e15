/**
 * Searches a text for a growing prefix, by the algorithm of Knuth, Morris and Pratt: in time linear in both lengths,
 * where repeated searches would take quadratic time on repetitive texts.
 */
export class PrefixSearch {
  readonly #text: string;
  /** The pattern, also as code units: reading a character of a growing string would copy the string each time. */
  #wanted = '';
  readonly #codes: number[] = [];
  /** For each prefix length, the longest proper prefix that is also a suffix. */
  readonly #borders: number[] = [0];
  /** The number of characters of the text that were read, and of the pattern that match right before. */
  #read = 0;
  #matched = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The whole pattern so far. */
  get wanted(): string {
    return this.#wanted;
  }

  /** Extends the pattern. @returns whether it occurs anywhere in the text */
  push(piece: string): boolean {
    const before = this.#codes.length;
    this.#wanted += piece;
    for (let at = 0; at < piece.length; at += 1) this.#codes.push(piece.charCodeAt(at));
    for (let length = Math.max(1, before); length < this.#codes.length; length += 1) this.#addBorder(length);
    while (this.#matched < this.#codes.length && this.#read < this.#text.length) this.#step();
    return this.#matched === this.#codes.length;
  }

  /** The length of the longest prefix of the pattern with which the text ends. */
  end(): number {
    while (this.#read < this.#text.length) this.#step();
    return this.#matched;
  }

  #addBorder(length: number): void {
    const code = this.#codes[length];
    let border = this.#borders[length - 1]!;
    while (border > 0 && this.#codes[border] !== code) border = this.#borders[border - 1]!;
    this.#borders[length] = this.#codes[border] === code ? border + 1 : 0;
  }

  #step(): void {
    const code = this.#text.charCodeAt(this.#read);
    while (this.#matched > 0 && this.#codes[this.#matched] !== code)
      this.#matched = this.#borders[this.#matched - 1]!;
    if (this.#codes[this.#matched] === code) this.#matched += 1;
    this.#read += 1;
  }
}
