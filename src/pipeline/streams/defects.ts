/** The largest number of reported places. */
const MAX_REMEMBERED = 200;

/**
 * Reports internal errors that did not make a request fail, each once rather than with every request: the name of the
 * error, and where it was thrown. Its message is left out, since it may quote content.
 */
export class Defects {
  readonly #tell: (message: string) => void;
  readonly #logged = new Set<string>();

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /**
   * Reports an error at a place for the first time.
   * @param what the failed operation: "Cannot read an answer"
   * @param place if it is not the place where it was thrown
   */
  tell(what: string, thrown: unknown, place?: string): void {
    const error = thrown instanceof Error ? thrown : undefined;
    const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    const known = `${what} ${place ?? frames[0] ?? ''}`;
    if (this.#logged.has(known) || this.#logged.size >= MAX_REMEMBERED) return;
    this.#logged.add(known);
    try {
      this.#tell([`${what}: ${error?.name ?? typeof thrown}; reported once`, ...frames].join('\n'));
    } catch {
      // A reporter that fails must not fail the request.
      this.#logged.delete(known);
    }
  }
}
