import type { ConfigManager } from '../config/manager.ts';
import type { Config } from '../config/schema.ts';
import type { programLog } from './log.ts';
import { read } from './source.ts';

/** How often the file is looked at, milliseconds. Looking finds what a mounted ConfigMap swaps, which events miss. */
const LOOK_MS = 1_000;

/**
 * Reads the file again when it or its keys file changes, and at SIGHUP; the latter gives refused keys a new chance also when nothing
 * changed. A file that is not valid changes nothing.
 * @param take takes over a valid one; an error that it throws leaves the last one in force
 * @returns how to stop
 */
export function reloadOnChange(
  manager: ConfigManager,
  take: (config: Config) => void,
  log: ReturnType<typeof programLog>,
): () => void {
  const { path } = manager;
  const again = (force: boolean): void => {
    const last = manager.current;
    try {
      const config = read(manager);
      if (!config) log.warn(`${path} is not valid, see above: the last one stays in force`);
      else if (force || config !== last) take(config);
    } catch (thrown) {
      log.warn(`${(thrown as Error).message}: the last configuration stays in force`);
    }
  };
  const look = (): void => {
    if (manager.stale) again(false);
  };
  const hangup = (): void => again(true);
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  process.on('SIGHUP', hangup);
  return () => {
    clearInterval(timer);
    process.off('SIGHUP', hangup);
  };
}

/** Says that a file was taken over, and what of it was not. @param restart keys that need a restart */
export function tellReloaded(
  { path }: ConfigManager,
  config: Config,
  restart: readonly string[],
  log: ReturnType<typeof programLog>,
): void {
  const { auth, providers } = config;
  const keys = auth === undefined || auth === 'none' ? '' : `, ${auth.keys.length} keys`;
  log.info(`${path} is read again: ${providers.length} providers${keys}`);
  if (restart.length > 0) log.warn(`${restart.join(', ')} changed: restart to take it over`);
}
