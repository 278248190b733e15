import { redactor } from './redact.ts';

/**
 * The secrets of the configuration in force and of the one before it: requests that began with that may still be
 * answered, and a key that was just replaced is often still a good one.
 */
export class Secrets {
  readonly #keys: readonly string[];
  #now: readonly string[];
  #all: readonly string[];
  #redact: (text: string) => string;

  /** @param keys further JSON keys whose values are hidden in the log */
  constructor(now: readonly string[], keys: readonly string[]) {
    this.#keys = keys;
    this.#now = this.#all = now;
    this.#redact = redactor({ secrets: now, keys });
  }

  get all(): readonly string[] {
    return this.#all;
  }

  /** Takes over those of another configuration. */
  replace(next: readonly string[]): void {
    this.#all = [...new Set([...next, ...this.#now])];
    this.#now = next;
    this.#redact = redactor({ secrets: this.#all, keys: this.#keys });
  }

  /** Takes them out of a line of the log. */
  readonly redact = (line: string): string => this.#redact(line);
}
