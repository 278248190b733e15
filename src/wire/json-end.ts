/** Tells where a JSON object or list that comes in pieces ends, without reading anything twice. */
export class JsonEnd {
  #depth = 0;
  #begun = false;
  #inText = false;
  #escaped = false;

  /** The object or list is complete. */
  get ended(): boolean {
    return this.#begun && this.#depth === 0;
  }

  push(piece: string): void {
    for (const char of piece) this.#read(char);
  }

  #read(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inText) {
      if (char === '\\') this.#escaped = true;
      else if (char === '"') this.#inText = false;
    } else if (char === '"') this.#inText = true;
    else if (char === '{' || char === '[') {
      this.#depth += 1;
      this.#begun = true;
    } else if (char === '}' || char === ']') this.#depth -= 1;
  }
}
