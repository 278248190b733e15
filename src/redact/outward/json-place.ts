const QUOTE = '"';
const BACKSLASH = '\\';

/** How much of the beginning of a string tells whether it is JSON itself, characters. */
const MOST_BEGINNING = 64;

/** The beginning of a string whose text is an object in JSON, or a list of them. */
const NESTED = /^(?:\s|\\[nrt])*(?:\[(?:\s|\\[nrt])*){0,8}\{(?:\s|\\[nrt])*\\"/;

/** A place within JSON text that arrives in pieces. */
export class JsonPlace {
  #inString = false;
  #escaped = false;
  /** The beginning of the current string, as it is written. */
  #beginning = '';

  /** How many times a text must be escaped here: twice in a string whose text is JSON itself. */
  get levels(): 1 | 2 {
    return this.#inString && NESTED.test(this.#beginning) ? 2 : 1;
  }

  /** Moves past a text. */
  move(text: string): void {
    for (const char of text) {
      if (!this.#inString) {
        if (char !== QUOTE) continue;
        this.#inString = true;
        this.#beginning = '';
        continue;
      }
      if (this.#escaped) this.#escaped = false;
      else if (char === BACKSLASH) this.#escaped = true;
      else if (char === QUOTE) {
        this.#inString = false;
        continue;
      }
      if (this.#beginning.length < MOST_BEGINNING) this.#beginning += char;
    }
  }
}
