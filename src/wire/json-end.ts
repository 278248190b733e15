const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];

/** Finds the end of a JSON object or list that arrives in pieces, without reading anything twice. */
export class JsonEnd {
  #depth = 0;
  #begun = false;
  #inText = false;
  #escaped = false;

  /** Whether the object or list is complete. */
  get ended(): boolean {
    return this.#begun && this.#depth === 0;
  }

  push(piece: string): void {
    for (let at = 0; at < piece.length; at += 1) this.#read(piece.charCodeAt(at));
  }

  #read(char: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inText) {
      if (char === BACKSLASH) this.#escaped = true;
      else if (char === QUOTE) this.#inText = false;
    } else if (char === QUOTE) this.#inText = true;
    else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      this.#depth += 1;
      this.#begun = true;
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) this.#depth -= 1;
  }
}
