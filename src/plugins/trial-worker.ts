/** The thread in which plugins are first loaded: code that never ends, or that exits, affects only this thread. */
import type { FromTrial, ToTrial } from './trial.ts';
import { loadPlugin, modulesOf } from './load.ts';
import { described } from './place.ts';

declare const self: Worker;

self.addEventListener('message', ({ data }: MessageEvent<ToTrial>) => void tryAll(data.paths));

async function tryAll(paths: readonly string[]): Promise<void> {
  for (const [index, path] of paths.entries()) {
    tell({ kind: 'loading', index });
    try {
      await loadPlugin(path);
    } catch (thrown) {
      tell({ kind: 'failed', index, message: described(thrown) });
    }
  }
  tell({ kind: 'ended', files: modulesOf(paths) });
}

function tell(message: FromTrial): void {
  self.postMessage(message, []);
}
