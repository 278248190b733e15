import { randomBytes } from 'node:crypto';
import type { ConfigText } from '../config/manager.ts';
import type { Config } from '../config/schema.ts';
import type { Begin } from '../workers/messages.ts';
import type { Serve } from './serve.ts';
import { systemClock } from '../clock.ts';
import { needRestart } from '../config/changes.ts';
import { reservePlaces } from '../limits/shared.ts';
import { NO_PLUGINS } from '../plugins/loaded.ts';
import { newInstance } from '../proxy.ts';
import type { ClaimedPort } from '../workers/port.ts';
import { claimPort } from '../workers/port.ts';
import { makeSharedFile } from '../workers/shared-file.ts';
import { Supervisor } from '../workers/supervisor.ts';
import { ClaimedState } from './claimed-state.ts';
import { ExitError } from './exit.ts';
import { handleUncaughtErrors } from './uncaught-errors.ts';
import { reloadOnChange, printReloaded } from './serve-reload.ts';
import { cannotListen, overrule, refuseOpenAccess } from './serve-settings.ts';
import { handleOtherSignals } from './serve-signals.ts';

/**
 * Serves with several processes, which this one starts, supervises and stops. It loads the configuration for all of
 * them.
 * @throws ExitError when the port is in use, or a worker cannot start
 */
export async function serveWithWorkers(serve: Serve): Promise<void> {
  const { source, config, workers, log, listening } = serve;
  const { manager, host: plugins } = source;
  const stopMs = config.logging.requests.upload?.stop_timeout ?? 0;
  const drainMs = config.server.drain_timeout + stopMs;
  const claimed = await claim(config);
  const shared = makeSharedFile(workers);
  const state = new ClaimedState();
  // If any port is accepted, all workers must get the same one.
  const flags = { ...serve.flags, port: claimed.port };
  const instance = newInstance();
  const secret = randomBytes(32).toString('base64');
  const first = manager?.currentText;
  let reloaded: ConfigText | undefined;
  const supervisor = new Supervisor({
    workers,
    command: ownCommand(),
    env: { ...process.env, LLMPROXY_WORKER: '1' },
    memoryFd: shared.fd,
    release: (worker) => shared.memory.release(worker - 1),
    begin: (worker): Begin => ({
      kind: 'begin',
      worker,
      workers,
      instance,
      secret,
      flags,
      file: first,
      reloaded,
    }),
    drainMs,
    clock: systemClock,
    warn: (message) => log.warn(message),
  });
  let stopReloading = (): void => undefined;
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return supervisor.cut(signal);
    stopping = true;
    stopReloading();
    supervisor.drain(signal);
  };
  // The parent has loaded them too.
  handleUncaughtErrors(() => plugins?.loaded ?? NO_PLUGINS, log);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const hangup = { tryAgain: () => undefined, stop };
  const stopOthers = handleOtherSignals(manager ? { log } : { hangup, log });
  try {
    state.claimFor(config);
    reservePlaces(shared.memory, config.providers);
    const { url, ...known } = await supervisor.start();
    if (manager && plugins) {
      let current = config;
      const take = (next: Config): void => {
        overrule(next, serve.flags);
        refuseOpenAccess(next, config.server);
        state.claimFor(next);
        reservePlaces(shared.memory, next.providers);
        reloaded = manager.currentText!;
        supervisor.reload(reloaded);
        printReloaded(manager, next, needRestart(current, next), log);
        current = next;
      };
      stopReloading = reloadOnChange({ manager, plugins }, take, log);
    }
    listening(url, known);
    await supervisor.ended;
  } catch (thrown) {
    throw thrown instanceof ExitError ? thrown : new ExitError(1, (thrown as Error).message);
  } finally {
    stopReloading();
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    stopOthers();
    shared.close();
    state.release();
    claimed.release();
  }
}

async function claim({ server }: Config): Promise<ClaimedPort> {
  try {
    return await claimPort(server.host, server.port);
  } catch (cause) {
    throw cannotListen(server, cause);
  }
}

/** The command line of this program: the binary, or Bun with the source. */
function ownCommand(): string[] {
  const compiled = Bun.main.startsWith('/$bunfs/');
  const program = compiled ? [process.execPath] : [process.execPath, ...process.execArgv, Bun.main];
  return [...program, 'serve'];
}
