import { readFileSync, statSync } from 'node:fs';
import type { Config } from './schema.ts';
import type { LoadResult } from './load.ts';
import { loadConfig } from './load.ts';

type Listener = (config: Config) => void;

/** Holds the configuration of a file. A load that fails keeps what was there; one that changes nothing is no load. */
export class ConfigManager {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #listeners = new Set<Listener>();
  #stamp: string | undefined;
  #text: string | undefined;
  #result: LoadResult = { config: undefined, problems: [] };
  #current: Config | undefined;
  #currentText: string | undefined;

  constructor(path: string, env: Readonly<Record<string, string | undefined>>) {
    this.path = path;
    this.#env = env;
  }

  /** The last valid configuration; `undefined` before the first. */
  get current(): Config | undefined {
    return this.#current;
  }

  /** What it was read from. */
  get currentText(): string | undefined {
    return this.#currentText;
  }

  /** Whether the file is another than the one that was read last, or was written since. */
  get stale(): boolean {
    return stampOf(this.path) !== this.#stamp;
  }

  /**
   * Reads the file again. Listeners hear of a new valid configuration.
   * @throws what the file system throws when it cannot be read
   */
  reload(): LoadResult {
    // Before the file is read: what is written meanwhile makes it stale again.
    this.#stamp = stampOf(this.path);
    const text = readFileSync(this.path, 'utf8');
    if (text === this.#text) return this.#result;
    this.#text = text;
    this.#result = loadConfig({ path: this.path, text }, this.#env);
    const { config } = this.#result;
    if (config) {
      this.#current = config;
      this.#currentText = text;
      for (const listener of this.#listeners) listener(config);
    }
    return this.#result;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** What tells one state of a file from the next; `undefined` while there is none. */
function stampOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
