import { readFileSync, statSync } from 'node:fs';
import type { Config } from './schema.ts';
import type { LoadResult } from './load.ts';
import type { DeclaredPlugins, PluginTypes } from './plugin-types.ts';
import { loadConfig } from './load.ts';
import { declaredPlugins } from './plugin-types.ts';
import type { ReadPem } from './tls-files.ts';

/** The texts that a configuration was read from: whoever loads them gets the same one. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
  /** That of its keys file; `undefined` where it names none, or there is none. */
  readonly keys: string | undefined;
}

/**
 * Holds the configuration of a file and of the keys file that it names. A load that fails keeps what was there; one that
 * changes nothing is no load.
 */
export class ConfigManager {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #readPem: ReadPem | undefined;
  /** Those that were read last. A file that cannot be found out stays the last one. */
  #keysPath: string | undefined;
  #stamps: readonly (string | undefined)[] = [];
  #text: string | undefined;
  #keysText: string | undefined;
  #result: LoadResult = {
    config: undefined,
    problems: [],
    shape: undefined,
    keysFile: undefined,
    unserved: [],
  };
  #plugins: PluginTypes | undefined;
  #current: Config | undefined;
  #currentText: ConfigText | undefined;

  /** @param readPem reads the files of `server.tls`; left out where nothing is to be served with them */
  constructor(path: string, env: Readonly<Record<string, string | undefined>>, readPem?: ReadPem) {
    this.path = path;
    this.#env = env;
    this.#readPem = readPem;
  }

  /** The last valid configuration; `undefined` before the first. */
  get current(): Config | undefined {
    return this.#current;
  }

  /** What it was read from. */
  get currentText(): ConfigText | undefined {
    return this.#currentText;
  }

  /** Whether one of the files is another than the one that was read last, or was written since. */
  get stale(): boolean {
    return this.#stampsNow().some((stamp, index) => stamp !== this.#stamps[index]);
  }

  /**
   * Reads the files again, but loads no plugins.
   * @throws what the file system throws when the configuration cannot be read
   */
  reload(): LoadResult {
    return this.#take(this.#read(), undefined);
  }

  /**
   * The same with the plugins that the configuration names.
   * @param load gives what they have; the same object as before where nothing of them has changed
   */
  async reloadWith(load: (declared: DeclaredPlugins) => Promise<PluginTypes>): Promise<LoadResult> {
    const text = this.#read();
    return this.#take(text, await load(declaredPlugins({ path: this.path, text }, this.#env)));
  }

  #read(): string {
    // Before the files are read: what is written meanwhile makes them stale again.
    this.#stamps = this.#stampsNow();
    return readFileSync(this.path, 'utf8');
  }

  #take(text: string, plugins: PluginTypes | undefined): LoadResult {
    const { path } = this;
    if (text === this.#text && plugins === this.#plugins && !this.#keysChanged()) return this.#result;
    this.#text = text;
    this.#plugins = plugins;
    const readKeys = (keysPath: string): string | undefined => {
      this.#keysPath = keysPath;
      this.#stamps = [this.#stamps[0], stampOf(keysPath)];
      return (this.#keysText = readIfThere(keysPath));
    };
    this.#result = loadConfig({
      path,
      text,
      env: this.#env,
      readKeys,
      readPem: this.#readPem,
      plugins,
    });
    const { config, shape, keysFile } = this.#result;
    // What is not valid does not say whether it still names one.
    if (shape && !keysFile) {
      this.#keysPath = this.#keysText = undefined;
      this.#stamps = [this.#stamps[0], undefined];
    }
    if (config) {
      this.#current = config;
      this.#currentText = { path, text, keys: keysFile?.text };
    }
    return this.#result;
  }

  #stampsNow(): (string | undefined)[] {
    const keysPath = this.#keysPath;
    return [stampOf(this.path), keysPath === undefined ? undefined : stampOf(keysPath)];
  }

  /** Whether the keys file says something else, or cannot be read any more. */
  #keysChanged(): boolean {
    try {
      return this.#keysPath !== undefined && readIfThere(this.#keysPath) !== this.#keysText;
    } catch {
      // Loading it again tells why.
      return true;
    }
  }
}

/** Loads a configuration from the texts that another process has read. */
export function loadText(
  { path, text, keys }: ConfigText,
  env: Readonly<Record<string, string | undefined>>,
  plugins?: PluginTypes,
): LoadResult {
  return loadConfig({ path, text, env, readKeys: () => keys, plugins });
}

/** The text of a file; `undefined` when there is no such file. @throws what the file system throws */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** What tells one state of a file from the next; `undefined` while there is none. */
export function stampOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
