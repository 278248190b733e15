import { systemClock } from '../clock.ts';

export interface ToTrial {
  readonly paths: readonly string[];
}

export type FromTrial =
  | { readonly kind: 'loading'; readonly index: number }
  | { readonly kind: 'failed'; readonly index: number; readonly message: string }
  | { readonly kind: 'ended'; readonly files: readonly string[] };

/** The result of loading plugins on trial. */
export interface Trial {
  /** Errors, by position in the list; empty when all plugins can be loaded. */
  readonly problems: readonly { readonly index: number; readonly message: string }[];
  /** The files that they consist of, as far as known. */
  readonly files: readonly string[];
}

/** The compiled binary keeps its entry points below their common directory, which is src. */
const WORKER = import.meta.url.endsWith('/trial.ts') ? './trial-worker.ts' : './plugins/trial-worker.js';

/** How long starting the thread may take, milliseconds. */
const BEGIN_MS = 20_000;

/**
 * Loads plugins in a separate thread, which is terminated afterwards, or earlier if a plugin takes too long.
 * @param limitMs how long each may take
 */
export async function tryPlugins(paths: readonly string[], limitMs: number): Promise<Trial> {
  const { promise, resolve } = Promise.withResolvers<Trial>();
  const problems: { index: number; message: string }[] = [];
  const worker = new Worker(new URL(WORKER, import.meta.url).href, { smol: true });
  let loading = 0;
  let cancel = systemClock.after(BEGIN_MS, () => end('the thread to load it in did not start'));
  const end = (message: string): void => {
    resolve({ problems: [...problems, { index: loading, message }], files: [] });
  };
  worker.addEventListener('message', ({ data }: MessageEvent<FromTrial>) => {
    if (data.kind === 'ended') resolve({ problems, files: data.files });
    else if (data.kind === 'failed') problems.push(data);
    else {
      loading = data.index;
      cancel();
      const state = `it did not load within ${limitMs} ms (plugin_timeout)`;
      cancel = systemClock.after(limitMs, () => end(state));
    }
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    end(event.message);
  });
  worker.addEventListener('close', () => end('it ended its thread while loading'));
  worker.postMessage({ paths } satisfies ToTrial, []);
  const trial = await promise;
  cancel();
  worker.terminate();
  return trial;
}
