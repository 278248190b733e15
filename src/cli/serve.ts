import { defineCommand } from 'citty';
import { existsSync, readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Listener } from '../server/listen.ts';
import type { Proxy } from '../proxy.ts';
import type { Found } from '../config/discover.ts';
import { discoverConfig } from '../config/discover.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problems.ts';
import { isLoopback } from '../config/references.ts';
import { createProxy } from '../proxy.ts';
import { listen } from '../server/listen.ts';
import { VERSION } from '../version.ts';
import { ExitError } from './exit.ts';
import { integerFlag } from './flags.ts';
import { programLog } from './log.ts';
import { print, useColor } from './output.ts';
import { table } from './table.ts';

export default defineCommand({
  meta: { name: 'serve', description: 'Serve the OpenAI API in front of the configured providers' },
  args: {
    config: {
      type: 'string',
      description: 'Configuration file (default: $LLMPROXY_CONFIG, then ./config.yaml, then none)',
    },
    host: { type: 'string', description: 'Address to listen on (server.host)' },
    port: { type: 'string', description: 'Port to listen on, 0 for a free one (server.port)' },
    'log-dir': { type: 'string', description: 'Directory of the request log (logging.requests.directory)' },
  },
  async run({ args }) {
    const { config, found } = readConfig(args.config);
    if (args.host !== undefined) config.server.host = args.host;
    if (args.port !== undefined) config.server.port = integerFlag('port', args.port, 0, 65535);
    if (args['log-dir'] !== undefined) config.logging.requests.directory = args['log-dir'];
    refuseOpenDoor(config);
    const log = programLog(config.logging);
    const proxy = createProxy(config, { env: process.env, onProblem: (message) => log.warn(message) });
    const listener = bind(proxy, config);
    print(`llmproxy ${VERSION} listening on ${listener.url}\n`);
    log.info(providerTable(proxy, found));
    untilStopped(proxy, listener, config, log);
    await proxy.warm();
  },
});

interface Source {
  readonly config: Config;
  /** How each provider was found, when no file was read. */
  readonly found: readonly Found[] | undefined;
}

/** The configuration file, or what the environment offers where there is none. */
function readConfig(flag: string | undefined): Source {
  const named = flag ?? (process.env.LLMPROXY_CONFIG || undefined);
  const path = named ?? 'config.yaml';
  if (named === undefined && !existsSync(path)) return discoverConfig(process.env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${(cause as Error).message}`);
  }
  const { config, problems } = loadConfig({ path, text }, process.env);
  if (problems.length > 0)
    process.stderr.write(`${formatProblems(problems, { path, color: useColor(process.stderr) })}\n`);
  if (!config) throw new ExitError(1, `Cannot serve: ${path} is not valid, see above`);
  return { config, found: undefined };
}

/** An address that others reach needs keys, or the written word that it does not. */
function refuseOpenDoor({ server, auth }: Config): void {
  if (auth !== undefined || isLoopback(server.host)) return;
  throw new ExitError(
    1,
    `Cannot listen on ${server.host}: others could use your keys. Add auth.keys to the configuration, or write auth: none if that is wanted`,
  );
}

function bind(proxy: Proxy, { server }: Config): Listener {
  try {
    return listen(proxy.app, { host: server.host, port: server.port });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    const reason = code === 'EADDRINUSE' ? 'the port is in use, choose another with --port' : message;
    throw new ExitError(1, `Cannot listen on ${server.host}:${server.port}: ${reason}`);
  }
}

function providerTable(proxy: Proxy, found: readonly Found[] | undefined): string {
  const why = new Map(found?.map(({ name, reason }) => [name, reason]));
  const rows = proxy
    .providers()
    .map(({ name, type, state, reasons }) => [
      name,
      type,
      state === 'disabled' ? 'off' : 'on',
      why.get(name) ?? (state === 'disabled' ? reasons.join('; ') : 'config file'),
    ]);
  return table(['PROVIDER', 'TYPE', 'STATE', 'WHY'], rows, process.stderr.columns ?? Infinity);
}

/** SIGTERM and SIGINT let requests finish; a second one ends them. */
function untilStopped(
  proxy: Proxy,
  listener: Listener,
  config: Config,
  log: ReturnType<typeof programLog>,
): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) {
      log.warn(`${signal} again: stopping now`);
      await listener.stop();
      return;
    }
    stopping = true;
    proxy.drain();
    const pending = listener.pending();
    if (pending > 0)
      log.info(`${signal}: waiting for ${pending} request${pending === 1 ? '' : 's'} to finish`);
    const all = await listener.drain(config.server.drain_timeout);
    if (!all) log.warn('server.drain_timeout has passed: requests were cut');
    await proxy.close();
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
