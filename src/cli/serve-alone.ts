import type { Proxy } from '../proxy.ts';
import type { Serve } from './serve.ts';
import { createProxy } from '../proxy.ts';
import { NO_PLUGINS } from '../plugins/loaded.ts';
import { ExitError } from './exit.ts';
import { reloadOnChange, printReloaded } from './serve-reload.ts';
import { overrule, refuseOpenAccess } from './serve-settings.ts';
import { handleOtherSignals } from './serve-signals.ts';
import { openSocket } from './serve-socket.ts';
import { operatorMessages } from './serve-messages.ts';
import { Stopping } from './stopping.ts';
import { handleUncaughtErrors } from './uncaught-errors.ts';

/** Serves in this process. @throws ExitError when it cannot listen */
export async function serveAlone(serve: Serve): Promise<void> {
  const { source, config, flags, log } = serve;
  const { drain_timeout } = config.server;
  const proxy = created(serve);
  await proxy.recover();
  const { manager, host: plugins } = source;
  const { listener, close } = await openSocket(proxy, config, { path: manager?.path, shared: false, log });
  const stopReloading =
    manager && plugins
      ? reloadOnChange(
          { manager, plugins },
          (next, loaded) => {
            overrule(next, flags);
            // The socket stays open until a restart, even if the file changes.
            refuseOpenAccess(next, config.server);
            printReloaded(manager, next, proxy.reload(next, loaded), log);
          },
          log,
        )
      : () => undefined;
  const stopping = new Stopping(proxy, listener, { limitMs: drain_timeout, log });
  const ended = Promise.withResolvers<void>();
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping.begun) return stopping.cut(signal);
    stopReloading();
    await stopping.drain(signal);
    close();
    stopOthers();
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    ended.resolve();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const hangup = { tryAgain: () => void proxy.reload(config, NO_PLUGINS), stop };
  const stopOthers = handleOtherSignals(manager ? { log } : { hangup, log });
  handleUncaughtErrors(() => plugins?.loaded ?? NO_PLUGINS, log);
  // A reader of this line may send signals, so their handlers are installed by now.
  serve.listening(listener.url, { providers: proxy.providers(), models: proxy.modelCount() });
  await proxy.warm();
  await ended.promise;
}

function created({ source, config, log }: Serve): Proxy {
  try {
    return createProxy(config, {
      env: process.env,
      ...operatorMessages(config, log),
      keepsUsage: true,
      plugins: source.plugins,
      discovery: { asks: true },
    });
  } catch (thrown) {
    throw new ExitError(1, (thrown as Error).message);
  }
}
