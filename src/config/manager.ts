import { readFileSync, statSync } from 'node:fs';
import type { Config } from './schema.ts';
import type { LoadResult } from './load.ts';
import type { DeclaredPlugins, PluginTypes } from './plugin-types.ts';
import { loadConfig } from './load.ts';
import { declaredPlugins } from './plugin-types.ts';
import type { ReadPem } from './tls-files.ts';
import type { ReadConfig } from './yaml.ts';
import { readYaml } from './yaml.ts';

/** The texts of the files that a configuration was loaded from: all processes must load the same ones. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
  /** The text of its keys file; `undefined` if it names none, or the file does not exist. */
  readonly keys: string | undefined;
}

/**
 * Holds the configuration from a file and the keys file that it names. After a failed load the previous configuration
 * stays in effect; a load that changes nothing is not reported as one.
 */
export class ConfigManager {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #readPem: ReadPem | undefined;
  /** The files read last. A file whose state cannot be determined stays as it was. */
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
  /** Whether the current configuration has keys of a keys file. */
  #hasFileKeys = false;

  /** @param readPem reads the files of `server.tls`; omitted if nothing is served with them */
  constructor(path: string, env: Readonly<Record<string, string | undefined>>, readPem?: ReadPem) {
    this.path = path;
    this.#env = env;
    this.#readPem = readPem;
  }

  /** The last valid configuration; `undefined` before the first successful load. */
  get current(): Config | undefined {
    return this.#current;
  }

  /** The texts it was loaded from. */
  get currentText(): ConfigText | undefined {
    return this.#currentText;
  }

  /** Whether one of the files was replaced or written since it was last read. */
  get stale(): boolean {
    return this.#stampsNow().some((stamp, index) => stamp !== this.#stamps[index]);
  }

  /** Identifies the present state of the files. */
  get state(): string {
    return this.#stampsNow().join();
  }

  /**
   * Reloads the files without loading plugins.
   * @throws as the file system does when the configuration cannot be read
   */
  reload(): LoadResult {
    return this.#take(this.#read(), undefined);
  }

  /**
   * Reloads the files and the plugins that the configuration names.
   * @param load returns what the plugins provide; the same object as before if nothing has changed
   */
  async reloadWith(load: (declared: DeclaredPlugins) => Promise<PluginTypes>): Promise<LoadResult> {
    const source = { path: this.path, text: this.#read() };
    const read = readYaml(source, this.#env);
    return this.#take(source.text, await load(declaredPlugins(source, this.#env, read)), read);
  }

  #read(): string {
    // Taken before the files are read: a change in between marks them as stale again.
    this.#stamps = this.#stampsNow();
    return readFileSync(this.path, 'utf8');
  }

  #take(text: string, plugins: PluginTypes | undefined, read?: ReadConfig): LoadResult {
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
      hasFileKeys: this.#hasFileKeys,
      readPem: this.#readPem,
      plugins,
      read,
    });
    const { config, shape, keysFile } = this.#result;
    // It is unknown whether an invalid configuration still names a keys file.
    if (shape && !keysFile) {
      this.#keysPath = this.#keysText = undefined;
      this.#stamps = [this.#stamps[0], undefined];
    }
    if (config) {
      this.#current = config;
      this.#hasFileKeys = keysIn(config) > keysIn(shape);
      this.#currentText = { path, text, keys: keysFile?.text };
    }
    return this.#result;
  }

  #stampsNow(): (string | undefined)[] {
    const keysPath = this.#keysPath;
    return [stampOf(this.path), keysPath === undefined ? undefined : stampOf(keysPath)];
  }

  /** Whether the text of the keys file has changed, or the file can no longer be read. */
  #keysChanged(): boolean {
    try {
      return this.#keysPath !== undefined && readIfThere(this.#keysPath) !== this.#keysText;
    } catch {
      // Loading it again reports the reason.
      return true;
    }
  }
}

function keysIn(config: Config | undefined): number {
  const auth = config?.auth;
  return auth === undefined || auth === 'none' ? 0 : auth.keys.length;
}

/** Loads a configuration from the texts that another process has read. */
export function loadText(
  { path, text, keys }: ConfigText,
  env: Readonly<Record<string, string | undefined>>,
  plugins?: PluginTypes,
): LoadResult {
  return loadConfig({ path, text, env, readKeys: () => keys, plugins });
}

/** The text of a file; `undefined` if it does not exist. @throws as the file system does */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Identifies the state of a file; `undefined` if it does not exist. */
export function stampOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
