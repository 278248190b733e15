import type { Config } from '../config/schema.ts';
import type { Proxy } from '../proxy.ts';
import type { ConfigText } from '../config/manager.ts';
import type { Begin, FromWorker, Report, ToWorker, What } from '../workers/messages.ts';
import { systemClock } from '../clock.ts';
import { discoverConfig } from '../config/discover.ts';
import { loadText } from '../config/manager.ts';
import { sharedLimits } from '../limits/shared.ts';
import { createProxy } from '../proxy.ts';
import { Asking } from '../workers/asking.ts';
import { clockOffsetMs, mapShared, MEMORY_FD } from '../workers/shared-file.ts';
import { ExitError } from './exit.ts';
import { programLog } from './log.ts';
import { overrule } from './serve-settings.ts';
import type { OpenSocket } from './serve-socket.ts';
import { openSocket } from './serve-socket.ts';
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
    await worker?.end(why);
    for (const signal of IGNORED) process.off(signal, ignore);
    if (process.connected) process.disconnect?.();
  };
  const begin = async (message: Begin): Promise<void> => {
    if (ending) return;
    try {
      // What the parent tells while the socket is opened reaches it too.
      worker = new Worker(message, asking);
      const url = await worker.open();
      if (ending) return;
      tell({ kind: 'listening', url, providers: worker.proxy.providers() });
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
    if (message.kind === 'begin') void begin(message);
    else if (message.kind === 'drain') void end(message.signal);
    else if (message.kind === 'answer') asking.answered(message.id, message.answer);
    else if (message.kind === 'cut') void worker?.cut(message.signal);
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
  readonly #begin: Begin;
  readonly #config: Config;
  readonly #log: ReturnType<typeof programLog>;
  #socket: Promise<OpenSocket> | undefined;
  #stopping: Stopping | undefined;

  constructor(begin: Begin, fleet: Asking) {
    this.#begin = begin;
    const config = this.#read(begin.file);
    const log = programLog(config.logging, begin.worker);
    this.#config = config;
    this.#log = log;
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
  }

  /** Listens. @returns the address @throws ExitError when it cannot */
  async open(): Promise<string> {
    const path = this.#begin.file?.path;
    this.#socket = openSocket(this.proxy, this.#config, { path, shared: true, log: this.#log });
    const { listener } = await this.#socket;
    const limitMs = this.#config.server.drain_timeout;
    this.#stopping = new Stopping(this.proxy, listener, { limitMs, log: this.#log });
    return listener.url;
  }

  /** Lets requests finish. @param why a signal's name */
  async end(why: string): Promise<void> {
    const socket = await this.#socket?.catch(() => undefined);
    await this.#stopping?.drain(why);
    socket?.close();
  }

  async cut(why: string): Promise<void> {
    await this.#stopping?.cut(why);
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
