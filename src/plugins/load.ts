import { realpathSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import type { LoadedPlugin } from './loaded.ts';
import { collect } from './collect.ts';
import { provideApi } from './modules.ts';
import { PluginError } from './place.ts';

/** Loads the current content of a plugin's file. @throws PluginError, or what its code throws */
export async function loadPlugin(path: string): Promise<LoadedPlugin> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new PluginError('there is no such file');
  provideApi();
  // The target of the link has a path of its own, so that a swapped file is another module.
  const exported = (await import(realpathSync(path))) as Record<string, unknown>;
  return collect(path, exported);
}

/** Removes modules of plugins from the module cache: those in the directories of their files, except packages. */
export function forgetModules(paths: readonly string[]): void {
  for (const module of modulesOf(paths)) delete require.cache[module];
}

/** The files that the loaded plugins consist of. */
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
    // A file that does not exist has no modules.
    return undefined;
  }
}
