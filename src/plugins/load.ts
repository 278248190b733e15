import { realpathSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import type { LoadedPlugin } from './loaded.ts';
import { collect } from './collect.ts';
import { provideApi } from './modules.ts';
import { PluginError } from './place.ts';

/** Loads a plugin's file as it is now. @throws PluginError, or what its own code throws */
export async function loadPlugin(path: string): Promise<LoadedPlugin> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new PluginError('there is no such file');
  provideApi();
  // The link's target has a name of its own, by which a swapped file is another module.
  const exported = (await import(realpathSync(path))) as Record<string, unknown>;
  return collect(path, exported);
}

/** Lets modules of plugins be loaded anew: those in the folders of their files, but no packages. */
export function forgetModules(paths: readonly string[]): void {
  for (const module of modulesOf(paths)) delete require.cache[module];
}

/** The files that plugins consist of, as far as they are loaded. */
export function modulesOf(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => folderOf(path) ?? []);
  return Object.keys(require.cache).filter(
    (module) =>
      !module.includes(`${sep}node_modules${sep}`) && folders.some((folder) => module.startsWith(folder)),
  );
}

function folderOf(path: string): string | undefined {
  try {
    return `${dirname(realpathSync(path))}${sep}`;
  } catch {
    // A file that is not there has no modules.
    return undefined;
  }
}
