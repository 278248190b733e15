import type { DeclaredPlugins } from '../config/plugin-types.ts';
import { stampOf } from '../config/manager.ts';
import { forgetModules, loadPlugin, modulesOf } from './load.ts';
import { NO_PLUGINS, Plugins } from './loaded.ts';
import type { LoadedPlugin } from './loaded.ts';
import { described } from './place.ts';
import { tryPlugins } from './trial.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Holds the loaded plugins, and reloads them when their files change: all of them, or none. Plugins loaded before stay
 * valid for as long as they are used.
 */
export class PluginHost {
  /** Whether plugins are first loaded in a separate thread; unnecessary if another process has done so. */
  readonly #tries: boolean;
  readonly #env: Env;
  #loaded = NO_PLUGINS;
  #declared: DeclaredPlugins | undefined;
  #stamps = new Map<string, string | undefined>();

  constructor({ env, tries = true }: { env: Env; tries?: boolean }) {
    this.#env = env;
    this.#tries = tries;
  }

  /** The plugins loaded last. */
  get loaded(): Plugins {
    return this.#loaded;
  }

  /** Whether a file of a plugin has changed since it was loaded. */
  get stale(): boolean {
    for (const [file, stamp] of this.#stamps) if (stampOf(file) !== stamp) return true;
    return false;
  }

  /** The plugins that a configuration names; the same object as before if nothing has changed. */
  async load(declared: DeclaredPlugins): Promise<Plugins> {
    if (declared.paths.length === 0) {
      this.#stamps = new Map();
      this.#declared = undefined;
      return (this.#loaded = NO_PLUGINS);
    }
    if (Bun.deepEquals(declared, this.#declared) && !this.stale) return this.#loaded;
    this.#declared = declared;
    // Taken before the files are read: a change in between marks them as stale again.
    this.#stamps = new Map(
      [...declared.paths, ...modulesOf(declared.paths)].map((file) => [file, stampOf(file)]),
    );
    this.#loaded = await this.#loadAll(declared);
    return this.#loaded;
  }

  async #loadAll({ paths, limitMs }: DeclaredPlugins): Promise<Plugins> {
    const limits = { limitMs, env: this.#env };
    const failed = ({ index, message }: { index: number; message: string }) => ({
      index,
      message: `Cannot load ${paths[index]}: ${message}`,
    });
    if (this.#tries) {
      const { problems, files } = await tryPlugins(paths, limitMs);
      this.#watch(files);
      if (problems.length > 0) return new Plugins([], limits, problems.map(failed));
    }
    forgetModules(paths);
    const all: LoadedPlugin[] = [];
    for (const [index, path] of paths.entries()) {
      try {
        all.push(await loadPlugin(path));
      } catch (thrown) {
        return new Plugins([], limits, [failed({ index, message: described(thrown) })]);
      }
    }
    this.#watch(modulesOf(paths));
    return new Plugins(all, limits);
  }

  #watch(files: readonly string[]): void {
    for (const file of files) if (!this.#stamps.has(file)) this.#stamps.set(file, stampOf(file));
  }
}
