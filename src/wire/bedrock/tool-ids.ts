const BEDROCK = /^[a-zA-Z0-9_.:-]{1,64}$/;
const MISTRAL = /^[a-zA-Z0-9]{9}$/;

/**
 * Ids of tool calls as the model takes them. Others are replaced by numbers in the order in which they appear, so
 * that a conversation is said in the same words each time, and a cache of it serves.
 */
export class ToolIds {
  readonly #given = new Map<string, string>();
  readonly #used = new Set<string>();
  readonly #valid: RegExp;
  #count = 0;

  /** @param nine whether only nine letters and digits will do */
  constructor(nine: boolean) {
    this.#valid = nine ? MISTRAL : BEDROCK;
  }

  /** The same for the same id. */
  of(id: string): string {
    const known = this.#given.get(id);
    if (known !== undefined) return known;
    let given = id;
    while (!this.#valid.test(given) || this.#used.has(given)) {
      this.#count += 1;
      given = `call${String(this.#count).padStart(5, '0')}`;
    }
    this.#given.set(id, given);
    this.#used.add(given);
    return given;
  }
}
