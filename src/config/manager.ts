import { readFileSync } from 'node:fs';
import type { Config } from './schema.ts';
import type { LoadResult } from './load.ts';
import { loadConfig } from './load.ts';

type Listener = (config: Config) => void;

/** Holds the configuration of a file. A load that fails keeps what was there; one that changes nothing is no load. */
export class ConfigManager {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #listeners = new Set<Listener>();
  #text: string | undefined;
  #result: LoadResult = { config: undefined, problems: [] };
  #current: Config | undefined;

  constructor(path: string, env: Readonly<Record<string, string | undefined>>) {
    this.path = path;
    this.#env = env;
  }

  /** The last valid configuration; `undefined` before the first. */
  get current(): Config | undefined {
    return this.#current;
  }

  /**
   * Reads the file again. Listeners hear of a new valid configuration.
   * @throws what the file system throws when it cannot be read
   */
  reload(): LoadResult {
    const text = readFileSync(this.path, 'utf8');
    if (text === this.#text) return this.#result;
    this.#text = text;
    this.#result = loadConfig({ path: this.path, text }, this.#env);
    const { config } = this.#result;
    if (config) {
      this.#current = config;
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
