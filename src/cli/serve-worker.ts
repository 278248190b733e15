import type { Config } from '../config/schema.ts';
import type { Proxy } from '../proxy.ts';
import type { Listener } from '../server/listen.ts';
import type { ConfigText } from '../config/manager.ts';
import type { Begin, FromWorker, Report, ToWorker, What } from '../workers/messages.ts';
import { systemClock } from '../clock.ts';
import { discoverConfig } from '../config/discover.ts';
import { loadText } from '../config/manager.ts';
import { sharedLimits } from '../limits/shared.ts';
import { createProxy } from '../proxy.ts';
import { listen } from '../server/listen.ts';
import { Asking } from '../workers/asking.ts';
import { clockOffsetMs, mapShared, MEMORY_FD } from '../workers/shared-file.ts';
import { ExitError } from './exit.ts';
import { programLog } from './log.ts';
import { cannotListen, overrule } from './serve-settings.ts';
import { Stopping } from './stopping.ts';

/** Signals are the parent's affair: a terminal sends them to all processes, and the parent tells when to stop. */
const IGNORED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Serves as one of several workers: begins, reloads and stops when the parent says so, and stops when it is gone. */
export function serveWorker(): void {
  if (process.send === undefined)
    throw new ExitError(2, 'Cannot serve as a worker: unset LLMPROXY_WORKER, which only workers are given');
  delete process.env.LLMPROXY_WORKER;
  const asking = new Asking(tell, systemClock);
  const ignore = () => undefined;
  let worker: Worker | undefined;
  let ending = false;
  const end = async (why: string): Promise<void> => {
    if (ending) return;
    ending = true;
    await worker?.stopping.drain(why);
    for (const signal of IGNORED) process.off(signal, ignore);
    if (process.connected) process.disconnect?.();
  };
  const begin = (message: Begin): void => {
    if (ending) return;
    try {
      worker = new Worker(message, asking);
      tell({ kind: 'listening', url: worker.url, providers: worker.proxy.providers() });
      void worker.proxy.warm();
    } catch (thrown) {
      tell({ kind: 'failed', message: (thrown as Error).message });
      process.exitCode = 1;
      void end('');
    }
  };
  for (const signal of IGNORED) process.on(signal, ignore);
  process.on('disconnect', () => void end('The parent process has ended'));
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'begin') begin(message);
    else if (message.kind === 'drain') void end(message.signal);
    else if (message.kind === 'answer') asking.answered(message.id, message.answer);
    else if (message.kind === 'cut') void worker?.stopping.cut(message.signal);
    else if (message.kind === 'reload') worker?.reload(message.file);
    else if (worker) tell({ kind: 'report', id: message.id, report: worker.report(message.what) });
  });
  tell({ kind: 'ready' });
}

/** A parent that is gone hears nothing. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** A worker that serves. */
class Worker {
  readonly proxy: Proxy;
  readonly stopping: Stopping;
  readonly #begin: Begin;
  readonly #listener: Listener;

  /** @throws ExitError when it cannot listen */
  constructor(begin: Begin, fleet: Asking) {
    this.#begin = begin;
    const config = this.#read(begin.file);
    const log = programLog(config.logging, begin.worker);
    const memory = mapShared(MEMORY_FD, begin.workers);
    const offsetMs = clockOffsetMs(() => systemClock.monotonic());
    this.proxy = createProxy(config, {
      env: process.env,
      onProblem: (message) => log.warn(message),
      instance: begin.instance,
      worker: begin.worker,
      keepsUsage: true,
      limits: sharedLimits({ memory, index: begin.worker - 1, offsetMs }),
      fleet,
    });
    if (begin.reloaded) this.reload(begin.reloaded);
    const { host, port, drain_timeout } = config.server;
    try {
      this.#listener = listen(this.proxy, { host, port, shared: true });
    } catch (cause) {
      throw cannotListen(config.server, cause);
    }
    this.stopping = new Stopping(this.proxy, this.#listener, { limitMs: drain_timeout, log });
  }

  get url(): string {
    return this.#listener.url;
  }

  reload(file: ConfigText): void {
    this.proxy.reload(this.#read(file));
  }

  report(what: What): Report {
    if (what === 'metrics') return { what, families: this.proxy.metrics() };
    const { proxy } = this;
    return { what, providers: proxy.providers(), inFlight: proxy.inFlight(), log: proxy.log() };
  }

  /** The parent has found it valid, in the same environment. */
  #read(file: ConfigText | undefined): Config {
    const { config } = file ? loadText(file, process.env) : discoverConfig(process.env);
    if (!config) throw new ExitError(1, `Cannot use ${file?.path}: it is not valid`);
    overrule(config, this.#begin.flags);
    return config;
  }
}
