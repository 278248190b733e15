import type { ConfigManager } from '../config/manager.ts';
import type { Config } from '../config/schema.ts';
import type { PluginHost } from '../plugins/host.ts';
import type { Plugins } from '../plugins/loaded.ts';
import type { ProgramLog } from './log.ts';
import { read } from './source.ts';

/** The polling interval, milliseconds. Polling finds the swapped files of a mounted ConfigMap, which events miss. */
const LOOK_MS = 1_000;

/** How long files must stay as they are before they are read: another program may still be writing, milliseconds. */
const SETTLE_MS = 200;

/**
 * Reloads the configuration when its file, its keys file or one of its plugins changes, and on SIGHUP; the latter also
 * resets rejected keys if nothing has changed. An invalid configuration changes nothing.
 * @param take applies a valid configuration; if it throws, the previous one stays in effect
 * @returns a function that stops it
 */
export function reloadOnChange(
  { manager, plugins: host }: { manager: ConfigManager; plugins: PluginHost },
  take: (config: Config, plugins: Plugins) => void,
  log: ProgramLog,
): () => void {
  const { path } = manager;
  const again = async (force: boolean): Promise<void> => {
    const last = manager.current;
    try {
      const { config, plugins } = await read(manager, host);
      if (!config) log.warn(`${path} is not valid, see above: the previous one stays in effect`);
      else if (force || config !== last) take(config, plugins);
    } catch (thrown) {
      log.warn(`${(thrown as Error).message}: the previous configuration stays in effect`);
    }
  };
  // Loading plugins takes time: reloads run one after another, and requests in between are combined.
  let working: Promise<void> | undefined;
  let wanted: { force: boolean } | undefined;
  let stopped = false;
  const work = async (): Promise<void> => {
    while (wanted) {
      const { force } = wanted;
      wanted = undefined;
      await again(force);
    }
    working = undefined;
  };
  const ask = (force: boolean): void => {
    if (stopped) return;
    wanted = { force: force || (wanted?.force ?? false) };
    working ??= work();
  };
  let settling: Timer | undefined;
  const look = (): void => {
    if (working || settling || !(manager.stale || host.stale)) return;
    const { state } = manager;
    settling = setTimeout(() => {
      settling = undefined;
      if (manager.state === state) ask(false);
    }, SETTLE_MS);
  };
  const hangup = (): void => ask(true);
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  process.on('SIGHUP', hangup);
  return () => {
    stopped = true;
    wanted = undefined;
    clearInterval(timer);
    clearTimeout(settling);
    process.off('SIGHUP', hangup);
  };
}

/** Reports that a file was applied, and which changes were not. @param restart keys that need a restart */
export function printReloaded(
  { path }: ConfigManager,
  config: Config,
  restart: readonly string[],
  log: ProgramLog,
): void {
  const { auth, providers } = config;
  const keys = auth === undefined || auth === 'none' ? '' : `, ${auth.keys.length} keys`;
  log.info(`Reloaded ${path}: ${providers.length} providers${keys}`);
  if (restart.length > 0) log.warn(`${restart.join(', ')} changed: restart to apply it`);
}
