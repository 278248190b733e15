/** Troubles that would be told with every request are told once. */
const MAX_REMEMBERED = 200;

/**
 * Tells the operator of defects of ours that cost no request: each place once, by the name of what was thrown and where.
 * Its message is left out, for it may quote what people or models wrote.
 */
export class Defects {
  readonly #tell: (message: string) => void;
  readonly #told = new Set<string>();

  constructor(tell: (message: string) => void) {
    this.#tell = tell;
  }

  /** @param what what went wrong, and is told only the first time for one place: "Cannot write a record to metrics" */
  tell(what: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : undefined;
    const frames = error?.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    const place = `${what} ${frames[0] ?? ''}`;
    if (this.#told.has(place) || this.#told.size >= MAX_REMEMBERED) return;
    this.#told.add(place);
    try {
      this.#tell([`${what}: ${error?.name ?? typeof thrown}; told once`, ...frames].join('\n'));
    } catch {
      // A reporter that fails must not fail the request.
      this.#told.delete(place);
    }
  }
}
