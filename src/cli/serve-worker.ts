import type { Config } from '../config/schema.ts';
import type { Proxy } from '../proxy.ts';
import type { ConfigText } from '../config/manager.ts';
import type { Begin, FromWorker, Report, ToWorker, StateKind } from '../workers/messages.ts';
import { systemClock } from '../clock.ts';
import { declaredPlugins } from '../config/plugin-types.ts';
import { isBuiltIn } from '../config/presets.ts';
import type { Plugins } from '../plugins/loaded.ts';
import { PluginHost } from '../plugins/host.ts';
import { NO_PLUGINS } from '../plugins/loaded.ts';
import { discoverConfig } from '../config/discover.ts';
import { loadText } from '../config/manager.ts';
import { sharedLimits } from '../limits/shared.ts';
import { createProxy } from '../proxy.ts';
import { WorkerFleet } from '../workers/worker-fleet.ts';
import { clockOffsetMs, mapShared, MEMORY_FD } from '../workers/shared-file.ts';
import { ExitError } from './exit.ts';
import { stderrLines } from './lines/stderr.ts';
import type { ProgramLog } from './log.ts';
import { programLog } from './log.ts';
import { overrule } from './serve-settings.ts';
import { MEANINGLESS } from './serve-signals.ts';
import type { OpenSocket } from './serve-socket.ts';
import { openSocket } from './serve-socket.ts';
import { operatorMessages } from './serve-messages.ts';
import { Stopping } from './stopping.ts';
import { handleUncaughtErrors } from './uncaught-errors.ts';

/**
 * Signals are handled by the parent: a terminal sends them to all processes, and the parent tells workers when to stop.
 */
const IGNORED = ['SIGINT', 'SIGTERM', 'SIGHUP', ...MEANINGLESS] as const;

/**
 * Serves as one of several workers: starts, reloads and stops on the parent's messages, and stops when the parent is
 * gone.
 */
export async function serveWorker(): Promise<void> {
  if (process.send === undefined)
    throw new ExitError(2, 'Cannot serve as a worker: unset LLMPROXY_WORKER, which is set for workers only');
  delete process.env.LLMPROXY_WORKER;
  const fleet = new WorkerFleet(tell, systemClock);
  const ignore = () => undefined;
  let worker: Worker | undefined;
  // A configuration to apply that arrives while plugins are still being loaded.
  const early: ConfigText[] = [];
  let ending = false;
  const ended = Promise.withResolvers<void>();
  const end = async (why: string): Promise<void> => {
    if (ending) return;
    ending = true;
    await worker?.end(why);
    for (const signal of IGNORED) process.off(signal, ignore);
    if (process.connected) process.disconnect?.();
    ended.resolve();
  };
  const begin = async (message: Begin): Promise<void> => {
    if (ending) return;
    try {
      const ready = await Worker.begin(message, fleet);
      if (ending) return await ready.proxy.close();
      // Messages that arrive while the socket is opened are handled as well.
      worker = ready;
      for (const file of early.splice(0)) worker.reload(file);
      const url = await worker.open();
      if (ending) return;
      stderrLines.begin();
      stderrLines.stamped = true;
      const { proxy } = worker;
      tell({ kind: 'listening', url, providers: proxy.providers(), models: proxy.modelCount() });
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
    else if (message.kind === 'answer') fleet.receiveAnswer(message.id, message.answer);
    else if (message.kind === 'news') fleet.receive(message.news, message.worker);
    else if (message.kind === 'models') worker?.proxy.takeModels(new Map(message.listings));
    else if (message.kind === 'cut') void worker?.cut(message.signal);
    else if (message.kind === 'reload') {
      if (worker) worker.reload(message.file);
      else early.push(message.file);
    } else if (worker) tell({ kind: 'report', id: message.id, report: worker.report(message.what) });
  });
  tell({ kind: 'ready' });
  await ended.promise;
}

/** Messages to a parent that is gone are dropped. */
function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** A worker that serves. */
class Worker {
  readonly proxy: Proxy;
  readonly #begin: Begin;
  readonly #config: Config;
  readonly #configured: Configured;
  readonly #log: ProgramLog;
  #socket: Promise<OpenSocket> | undefined;
  #stopping: Stopping | undefined;
  /** Reloads run one after another. */
  #reloading: Promise<void> = Promise.resolve();

  /** @throws ExitError when the configuration, or one of its plugins, has become invalid */
  static async begin(begin: Begin, fleet: WorkerFleet): Promise<Worker> {
    const configured = new Configured(begin);
    const { reloaded } = begin;
    // Plugins that are no longer named may have been deleted.
    const { config, plugins } = reloaded ? configured.withoutPlugins() : await configured.read(begin.file);
    const log = programLog(config.logging, begin.worker);
    const memory = mapShared(MEMORY_FD, begin.workers);
    const offsetMs = clockOffsetMs(() => systemClock.monotonic());
    const proxy = createProxy(config, {
      env: process.env,
      ...operatorMessages(config, log, begin.worker),
      instance: begin.instance,
      secret: Buffer.from(begin.secret, 'base64'),
      worker: begin.worker,
      workers: begin.workers,
      keepsUsage: true,
      limits: sharedLimits({ memory, index: begin.worker - 1, offsetMs }),
      fleet,
      plugins,
      // One worker asks the providers for all.
      discovery: {
        asks: begin.worker === 1,
        listed: (listings) => tell({ kind: 'models', listings: [...listings] }),
      },
    });
    if (reloaded) {
      const next = await configured.read(reloaded);
      proxy.reload(next.config, next.plugins);
    }
    handleUncaughtErrors(() => configured.plugins, log);
    return new Worker(proxy, { begin, config, configured, log });
  }

  constructor(
    proxy: Proxy,
    beginning: {
      readonly begin: Begin;
      readonly config: Config;
      readonly configured: Configured;
      readonly log: ProgramLog;
    },
  ) {
    this.proxy = proxy;
    this.#begin = beginning.begin;
    this.#config = beginning.config;
    this.#configured = beginning.configured;
    this.#log = beginning.log;
  }

  /** Listens. @returns the address @throws ExitError when it cannot */
  async open(): Promise<string> {
    this.#socket = this.#listen();
    const { listener } = await this.#socket;
    const limitMs = this.#config.server.drain_timeout;
    this.#stopping = new Stopping(this.proxy, listener, { limitMs, log: this.#log });
    return listener.url;
  }

  async #listen(): Promise<OpenSocket> {
    // If limits are shared with other machines, the first request must already count.
    await this.proxy.recover();
    const path = this.#begin.file?.path;
    return await openSocket(this.proxy, this.#config, { path, shared: true, log: this.#log });
  }

  /** Lets requests finish. @param why the name of a signal */
  async end(why: string): Promise<void> {
    const socket = await this.#socket?.catch(() => undefined);
    await this.#stopping?.drain(why);
    socket?.close();
  }

  async cut(why: string): Promise<void> {
    await this.#stopping?.cut(why);
  }

  /** Applies another configuration once its plugins are loaded. */
  reload(file: ConfigText): void {
    this.#reloading = this.#reloading.then(() => this.#takeOver(file));
  }

  async #takeOver(file: ConfigText): Promise<void> {
    try {
      const { config, plugins } = await this.#configured.read(file);
      this.proxy.reload(config, plugins);
    } catch (thrown) {
      this.#log.warn(`${(thrown as Error).message}: the previous configuration stays in effect`);
    }
  }

  report(what: StateKind): Report {
    if (what === 'metrics') return { what, families: this.proxy.metrics() };
    const { proxy } = this;
    return { what, providers: proxy.providers(), inFlight: proxy.inFlight(), log: proxy.log() };
  }
}

/** Loads configurations that the parent has found valid, in the same environment. */
class Configured {
  readonly #begin: Begin;
  /** The parent has checked that they can be loaded. */
  readonly #host = new PluginHost({ env: process.env, tries: false });

  constructor(begin: Begin) {
    this.#begin = begin;
  }

  get plugins(): Plugins {
    return this.#host.loaded;
  }

  /** @throws ExitError when it is invalid, or its plugins cannot be loaded */
  async read(file: ConfigText | undefined): Promise<{ config: Config; plugins: Plugins }> {
    if (!file) return { config: this.#overruled(discoverConfig(process.env).config), plugins: NO_PLUGINS };
    const plugins = await this.#host.load(declaredPlugins(file, process.env));
    const { config, problems } = loadText(file, process.env, plugins);
    if (config) return { config: this.#overruled(config), plugins };
    const reason = problems.find(({ severity }) => severity === 'error')?.message ?? 'it is not valid';
    throw new ExitError(1, `Cannot use ${file.path}: ${reason}`);
  }

  /** The initial configuration, as far as it needs no plugin. */
  withoutPlugins(): { config: Config; plugins: Plugins } {
    const { file } = this.#begin;
    const { config } = file ? loadText(file, process.env) : discoverConfig(process.env);
    if (!config) throw new ExitError(1, `Cannot use ${file?.path}: it is not valid`);
    const providers = config.providers.filter(({ type }) => isBuiltIn(type));
    return { config: this.#overruled({ ...config, providers }), plugins: NO_PLUGINS };
  }

  #overruled(config: Config): Config {
    overrule(config, this.#begin.flags);
    return config;
  }
}
