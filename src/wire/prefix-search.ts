/**
 * Looks for a beginning that grows in a text, by Knuth, Morris and Pratt: in time that grows with both lengths, where
 * searching anew takes their product for texts that repeat themselves.
 */
export class PrefixSearch {
  readonly #text: string;
  /** What is looked for, also as code units: a text that grows is copied each time that one of its characters is read. */
  #wanted = '';
  readonly #codes: number[] = [];
  /** By length of a beginning: how much of its end is its beginning too. */
  readonly #borders: number[] = [0];
  /** So many characters of the text are read, and so many of what is wanted stand right before. */
  #read = 0;
  #matched = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What was looked for, all together. */
  get wanted(): string {
    return this.#wanted;
  }

  /** Adds to what is looked for. @returns whether it stands anywhere in the text */
  push(piece: string): boolean {
    const before = this.#codes.length;
    this.#wanted += piece;
    for (let at = 0; at < piece.length; at += 1) this.#codes.push(piece.charCodeAt(at));
    for (let length = Math.max(1, before); length < this.#codes.length; length += 1) this.#addBorder(length);
    while (this.#matched < this.#codes.length && this.#read < this.#text.length) this.#step();
    return this.#matched === this.#codes.length;
  }

  /** How much of what is wanted, from its beginning, the text ends with. */
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
