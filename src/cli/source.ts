import { existsSync, readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Found } from '../config/discover.ts';
import { discoverConfig } from '../config/discover.ts';
import { ConfigManager } from '../config/manager.ts';
import { declaredPlugins } from '../config/plugin-types.ts';
import type { LoadResult } from '../config/load.ts';
import type { ReadPem } from '../config/tls-files.ts';
import type { Plugins } from '../plugins/loaded.ts';
import { PluginHost } from '../plugins/host.ts';
import { NO_PLUGINS } from '../plugins/loaded.ts';
import { fileReason } from '../logs/names.ts';
import { ExitError } from './exit.ts';
import { printStderr } from './output.ts';
import { printProblems } from './problems-text.ts';

/** The flag of commands that need a configuration. */
export const CONFIG_FLAG = {
  type: 'string',
  valueHint: 'file',
  description: 'Configuration file (default: $LLMPROXY_CONFIG, then ./config.yaml, then none)',
} as const;

export interface Source {
  readonly config: Config;
  /** Holds the file, if there is one. */
  readonly manager: ConfigManager | undefined;
  /** How each provider was found, if no file was read. */
  readonly found: readonly Found[] | undefined;
}

/** A configuration with its plugins. */
export interface LoadedSource extends Source {
  readonly plugins: Plugins;
  /** Holds the plugins, if there is a file that may name some. */
  readonly host: PluginHost | undefined;
}

/** The configuration file, or one derived from the environment. Plugins are not loaded. */
export function readConfig(flag: string | undefined): Source {
  const path = pathOf(flag);
  if (path === undefined) return { ...discoverConfig(process.env), manager: undefined };
  const manager = new ConfigManager(path, process.env);
  const config = reporting(path, () => manager.reload());
  if (!config) throw notValid(path);
  return { config, found: undefined, manager };
}

/**
 * The same with the plugins that the file names, whose code is run.
 * @param flag null to use no file, even if there is one in the default location
 * @param readPem reads the files of `server.tls`; omitted by commands that do not serve
 */
export async function loadSource(flag: string | undefined | null, readPem?: ReadPem): Promise<LoadedSource> {
  const path = flag === null ? undefined : pathOf(flag);
  if (path === undefined)
    return { ...discoverConfig(process.env), manager: undefined, host: undefined, plugins: NO_PLUGINS };
  const manager = new ConfigManager(path, process.env, readPem);
  const host = new PluginHost({ env: process.env });
  const { config, plugins } = await read(manager, host);
  if (!config) throw notValid(path);
  return { config, found: undefined, manager, host, plugins };
}

/** Loads the file and its plugins, and prints the problems. @throws ExitError when it cannot be read */
export async function read(
  manager: ConfigManager,
  host: PluginHost,
): Promise<{ config: Config | undefined; plugins: Plugins }> {
  const { path } = manager;
  let plugins = NO_PLUGINS;
  try {
    const result = await manager.reloadWith(async (declared) => (plugins = await host.load(declared)));
    return { config: reporting(path, () => result), plugins };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The plugins that a configuration names, even if it has other errors; their problems are printed. */
export async function pluginsIn(flag: string | undefined): Promise<Plugins> {
  const path = pathOf(flag);
  if (path === undefined) return NO_PLUGINS;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const host = new PluginHost({ env: process.env });
  const plugins = await host.load(declaredPlugins({ path, text }, process.env));
  for (const { message } of plugins.problems) printStderr(`${message}\n`);
  return plugins;
}

/** The named file, or the one in the default location. */
function pathOf(flag: string | undefined): string | undefined {
  const named = flag ?? (process.env.LLMPROXY_CONFIG || undefined);
  return named ?? (existsSync('config.yaml') ? 'config.yaml' : undefined);
}

/** Prints the problems of a file. @throws ExitError when it cannot be read */
function reporting(path: string, load: () => LoadResult): Config | undefined {
  try {
    const { config, problems } = load();
    printProblems(problems, path);
    return config;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): ExitError {
  return new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
}

function notValid(path: string): ExitError {
  return new ExitError(1, `Cannot use ${path}: it is not valid, see above`);
}
