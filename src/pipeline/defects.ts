/** Most places that are told of. */
const MAX_REMEMBERED = 200;

/**
 * Tells the operator of defects of ours that cost no request, each once and not with every request: what was thrown, by
 * name, and where. Its message is left out, for it may quote what people or models wrote.
 */
export class Defects {
  readonly #tell: (message: string) => void;
  readonly #told = new Set<string>();

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /**
   * Tells of one thing at one place, the first time that it goes wrong there.
   * @param what what went wrong: "Cannot read an answer"
   * @param place where, if that is not where it was thrown
   */
  tell(what: string, thrown: unknown, place?: string): void {
    const error = thrown instanceof Error ? thrown : undefined;
    const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    const known = `${what} ${place ?? frames[0] ?? ''}`;
    if (this.#told.has(known) || this.#told.size >= MAX_REMEMBERED) return;
    this.#told.add(known);
    try {
      this.#tell([`${what}: ${error?.name ?? typeof thrown}; told once`, ...frames].join('\n'));
    } catch {
      // A reporter that fails must not fail the request.
      this.#told.delete(known);
    }
  }
}
