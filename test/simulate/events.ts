/** The events of a run as text: hashed, so that two runs can be compared, and remembered for a while. */
export class EventLog {
  readonly #kept: { atMs: number; text: string; tags: string }[] = [];
  readonly #clock: { monotonic(): number };
  readonly #tell: ((line: string) => void) | undefined;
  #hash = 0n;
  count = 0;

  /** @param tell called with every line */
  constructor(clock: { monotonic(): number }, tell?: (line: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(16, '0');
  }

  /** @param tags words that say what it is about, each with a space before and after */
  add(text: string, tags: string): void {
    const atMs = this.#clock.monotonic();
    this.count += 1;
    this.#hash = BigInt(Bun.hash(`${atMs.toFixed(3)} ${text}`, this.#hash));
    this.#kept.push({ atMs, text, tags });
    if (this.#kept.length > 2 * KEPT) this.#kept.splice(0, KEPT);
    this.#tell?.(lineOf(atMs, text));
  }

  /** The last lines about any of these words. */
  last(words: readonly string[], most: number): string[] {
    const about = this.#kept.filter(({ tags }) => words.some((word) => tags.includes(` ${word} `)));
    return about.slice(-most).map(({ atMs, text }) => lineOf(atMs, text));
  }
}

const KEPT = 4_000;

function lineOf(atMs: number, text: string): string {
  return `${(atMs / 1000).toFixed(3).padStart(10)} s  ${text}`;
}
