import { readFileSync } from 'node:fs';
import type { LoadResult } from '../config/load.ts';
import type { Plugins } from '../plugins/loaded.ts';
import { loadConfig } from '../config/load.ts';
import { readIfThere } from '../config/manager.ts';
import { declaredPlugins } from '../config/plugin-types.ts';
import { PluginHost } from '../plugins/host.ts';

/** A configuration file and all its problems, including those of its plugins, keys file and certificates. */
export interface CheckedConfig extends LoadResult {
  readonly path: string;
  readonly plugins: Plugins;
}

/** Loads a configuration as `serve` would. @throws as the file system does when it cannot be read */
export async function checkedConfig(path: string): Promise<CheckedConfig> {
  const source = { path, text: readFileSync(path, 'utf8') };
  const env = process.env;
  const plugins = await new PluginHost({ env }).load(declaredPlugins(source, env));
  const readPem = (pem: string): string => readFileSync(pem, 'utf8');
  const result = loadConfig({ ...source, env, readKeys: readIfThere, readPem, plugins });
  return { ...result, path, plugins };
}
