const BEDROCK = /^[a-zA-Z0-9_.:-]{1,64}$/;
const MISTRAL = /^[a-zA-Z0-9]{9}$/;

/**
 * Tool call ids in the form that the model accepts. Others are replaced by numbers in order of appearance, so that a
 * conversation is encoded identically each time, and a prompt cache applies.
 */
export class ToolIds {
  readonly #given = new Map<string, string>();
  readonly #used = new Set<string>();
  readonly #valid: RegExp;
  #count = 0;

  /** @param nine whether ids must be nine letters and digits */
  constructor(nine: boolean) {
    this.#valid = nine ? MISTRAL : BEDROCK;
  }

  /** The same replacement for the same id. */
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
