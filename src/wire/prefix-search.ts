/**
 * Looks for a beginning that grows in a text, by Knuth, Morris and Pratt: in time that grows with both lengths, where
 * searching anew takes their product for texts that repeat themselves.
 */
export class PrefixSearch {
  readonly #text: string;
  #wanted = '';
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
    const before = this.#wanted.length;
    this.#wanted += piece;
    for (let length = Math.max(1, before); length < this.#wanted.length; length += 1) this.#addBorder(length);
    while (this.#matched < this.#wanted.length && this.#read < this.#text.length) this.#step();
    return this.#matched === this.#wanted.length;
  }

  /** How much of what is wanted, from its beginning, the text ends with. */
  end(): number {
    while (this.#read < this.#text.length) this.#step();
    return this.#matched;
  }

  #addBorder(length: number): void {
    const char = this.#wanted[length];
    let border = this.#borders[length - 1]!;
    while (border > 0 && this.#wanted[border] !== char) border = this.#borders[border - 1]!;
    this.#borders[length] = this.#wanted[border] === char ? border + 1 : 0;
  }

  #step(): void {
    const char = this.#text[this.#read];
    while (this.#matched > 0 && this.#wanted[this.#matched] !== char)
      this.#matched = this.#borders[this.#matched - 1]!;
    if (this.#wanted[this.#matched] === char) this.#matched += 1;
    this.#read += 1;
  }
}
