import { defineCommand } from 'citty';
import type { Config } from '../config/schema.ts';
import type { Listener } from '../server/listen.ts';
import type { Proxy } from '../proxy.ts';
import type { ConfigManager } from '../config/manager.ts';
import { isLoopback } from '../config/references.ts';
import { createProxy } from '../proxy.ts';
import { listen } from '../server/listen.ts';
import { VERSION } from '../version.ts';
import { ExitError } from './exit.ts';
import { integerFlag } from './flags.ts';
import { programLog } from './log.ts';
import { print } from './output.ts';
import { CONFIG_FLAG, read, readConfig } from './source.ts';
import { directoryProblem, serveText } from './serve-text.ts';
import { widthOf } from './wrap.ts';

export default defineCommand({
  meta: {
    name: 'serve',
    description: "Serve OpenAI's and Anthropic's APIs in front of the configured providers",
  },
  args: {
    config: CONFIG_FLAG,
    host: { type: 'string', description: 'Address to listen on (server.host)' },
    port: { type: 'string', description: 'Port to listen on, 0 for a free one (server.port)' },
    'log-dir': {
      type: 'string',
      valueHint: 'dir',
      description: 'Directory of the request log (logging.requests.directory)',
    },
  },
  async run({ args }) {
    const flags = {
      host: args.host,
      port: args.port === undefined ? undefined : integerFlag('port', args.port, 0, 65535),
      logs: args['log-dir'],
    };
    const { config, found, manager } = readConfig(args.config);
    overrule(config, flags);
    refuseOpenDoor(config, config.server.host);
    const log = programLog(config.logging);
    const proxy = createProxy(config, { env: process.env, onProblem: (message) => log.warn(message) });
    const listener = bind(proxy, config);
    const stopReloading = manager
      ? reloadOnChange(manager, proxy, { flags, host: config.server.host }, log)
      : () => undefined;
    untilStopped(proxy, listener, config, log, stopReloading);
    // Whoever reads this may send signals, so they are listened to by now.
    print(`llmproxy ${VERSION} listening on ${listener.url}\n`);
    for (const text of serveText(proxy.providers(), found, config, widthOf(process.stderr))) log.info(text);
    const misplaced = directoryProblem(config);
    if (misplaced !== undefined) log.warn(misplaced);
    await proxy.warm();
  },
});

interface Flags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly logs: string | undefined;
}

/** Flags go before the file, also when it is read again. */
function overrule(config: Config, { host, port, logs }: Flags): void {
  if (host !== undefined) config.server.host = host;
  if (port !== undefined) config.server.port = port;
  if (logs !== undefined) config.logging.requests.directory = logs;
}

/** How often the file is looked at, milliseconds. Looking finds what a mounted ConfigMap swaps, which events miss. */
const LOOK_MS = 1_000;

/**
 * Takes over the file when it changes, and at SIGHUP; the latter gives refused keys a new chance also when nothing
 * changed. A file that is not valid changes nothing.
 * @param host where the proxy listens
 * @returns how to stop
 */
function reloadOnChange(
  manager: ConfigManager,
  proxy: Proxy,
  { flags, host }: { flags: Flags; host: string },
  log: ReturnType<typeof programLog>,
): () => void {
  const { path } = manager;
  const take = (config: Config): void => {
    overrule(config, flags);
    // The socket stays where it is until a restart, whatever the file says now.
    refuseOpenDoor(config, host);
    const restart = proxy.reload(config);
    log.info(`${path} is read again: ${config.providers.length} providers`);
    if (restart.length > 0) log.warn(`${restart.join(', ')} changed: restart to take it over`);
  };
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

/** An address that others reach needs keys, or the written word that it does not. */
function refuseOpenDoor({ auth }: Config, host: string): void {
  if (auth !== undefined || isLoopback(host)) return;
  throw new ExitError(
    1,
    `Cannot listen on ${host}: others could use your keys. Add auth.keys to the configuration, or write auth: none if that is wanted`,
  );
}

function bind(proxy: Proxy, { server }: Config): Listener {
  try {
    return listen(proxy, { host: server.host, port: server.port });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    const reason = code === 'EADDRINUSE' ? 'the port is in use, choose another with --port' : message;
    throw new ExitError(1, `Cannot listen on ${server.host}:${server.port}: ${reason}`);
  }
}

/** SIGTERM and SIGINT let requests finish; a second one ends them. */
function untilStopped(
  proxy: Proxy,
  listener: Listener,
  config: Config,
  log: ReturnType<typeof programLog>,
  stopReloading: () => void,
): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      log.warn(`${signal} again: stopping now`);
      await listener.stop(proxy.cut);
      return;
    }
    stopping = true;
    stopReloading();
    proxy.drain();
    const pending = listener.pending();
    if (pending > 0)
      log.info(`${signal}: waiting for ${pending} request${pending === 1 ? '' : 's'} to finish`);
    const all = await listener.drain(config.server.drain_timeout, proxy.cut);
    if (!all) log.warn('server.drain_timeout has passed: requests were cut');
    await proxy.close();
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
