import type { Clock } from '../clock.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Failed, LoadedPlugin, Plugins } from './loaded.ts';
import type { HookContext, Plugin, RequestRecord } from './plugin.ts';
import { ProxyError } from '../errors.ts';
import { PluginError } from './place.ts';
import { RecordQueue } from './record-queue.ts';
import type { LogRecord } from '../logs/record.ts';

/** Information about the caller for hooks. */
export type HookFacts = Omit<HookContext, 'signal'>;

export interface HooksDeps {
  readonly clock: Clock;
  /** Called with errors thrown by hooks. */
  readonly failed: Failed;
  /** Called for each record that a plugin misses. */
  readonly dropped: () => void;
}

type Named = Pick<LoadedPlugin, 'name'>;

/** Calls the hooks of one configuration's plugins, in its order. */
export class Hooks {
  readonly #deps: HooksDeps;
  readonly #limitMs: number;
  readonly #asking: readonly LoadedPlugin[];
  readonly #answering: readonly LoadedPlugin[];
  readonly #queues: readonly RecordQueue[];

  constructor({ all, limitMs }: Plugins, deps: HooksDeps) {
    this.#deps = deps;
    this.#limitMs = limitMs;
    const having = (hook: keyof Plugin) => all.filter(({ hooks }) => hooks?.[hook] !== undefined);
    this.#asking = having('onRequest');
    this.#answering = having('onAnswer');
    this.#queues = having('onRecord').map((plugin) => {
      const give = (record: RequestRecord) =>
        this.#call(plugin, 'onRecord', () => plugin.hooks!.onRecord!(record)).catch(() => undefined);
      return new RecordQueue(give, () => this.#lost(plugin));
    });
  }

  get hasRequests(): boolean {
    return this.#asking.length > 0;
  }

  get hasAnswers(): boolean {
    return this.#answering.length > 0;
  }

  get hasRecords(): boolean {
    return this.#queues.length > 0;
  }

  /**
   * Passes a request to the plugins.
   * @param body a copy, which the plugins may change
   * @returns the body after all hooks
   * @throws ProxyError thrown by a plugin to reject the request, or `plugin`; the signal's reason when the client
   * disconnects
   */
  async request(body: JsonObject, facts: HookFacts, client: AbortSignal): Promise<JsonObject> {
    const request = { body };
    for (const plugin of this.#asking) {
      const call = (signal: AbortSignal) => plugin.hooks!.onRequest!(request, { ...facts, signal });
      await this.#call(plugin, 'onRequest', call, client);
    }
    return request.body;
  }

  /** Passes a whole answer to the plugins. @returns its body after all hooks @throws as `request` does */
  async answer(
    { status, body }: { status: number; body: JsonObject },
    facts: HookFacts,
    client: AbortSignal,
  ): Promise<JsonObject> {
    const answer = { status, body };
    for (const plugin of this.#answering) {
      const call = (signal: AbortSignal) => plugin.hooks!.onAnswer!(answer, { ...facts, signal });
      await this.#call(plugin, 'onAnswer', call, client);
    }
    return answer.body;
  }

  /** Queues a record for the plugins. */
  record(record: LogRecord): void {
    for (const queue of this.#queues) queue.add(record);
  }

  /** Waits until the plugins have received all records, but no longer than a hook may take. */
  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#deps.clock.after(this.#limitMs, resolve);
    await Promise.race([Promise.all(this.#queues.map((queue) => queue.idle())), late]);
    cancel();
  }

  /** The request is invalid after the plugins' changes. */
  spoilt(cause: unknown): ProxyError {
    const name = this.#asking.map((plugin) => plugin.name).join(' or ');
    const state = (cause as Error).message;
    this.#deps.failed(name, 'Cannot use a request as changed by onRequest', new PluginError(state));
    return failure(name, cause);
  }

  async #call(
    plugin: Named,
    hook: string,
    call: (signal: AbortSignal) => unknown,
    client?: AbortSignal,
  ): Promise<void> {
    const abort = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    // It may reject when it is no longer awaited.
    ended.catch(() => undefined);
    const end = (reason: unknown): void => {
      abort.abort(reason);
      reject(reason);
    };
    const leave = () => end(client!.reason);
    client?.addEventListener('abort', leave, { once: true });
    const late = new PluginError(`it took longer than ${this.#limitMs} ms (plugin_timeout)`);
    const cancel = this.#deps.clock.after(this.#limitMs, () => end(late));
    try {
      const work = call(abort.signal);
      if (work instanceof Promise) await Promise.race([work, ended]);
    } catch (thrown) {
      if (client?.aborted) throw client.reason;
      if (thrown instanceof ProxyError) throw thrown;
      this.#deps.failed(plugin.name, `Cannot do ${hook}`, thrown);
      throw failure(plugin.name, thrown);
    } finally {
      cancel();
      client?.removeEventListener('abort', leave);
    }
  }

  #lost({ name }: Named): void {
    this.#deps.dropped();
    const state = 'it is slower than records arrive, and some are dropped';
    this.#deps.failed(name, 'Cannot take all records', new PluginError(state));
  }
}

function failure(plugin: string, cause: unknown): ProxyError {
  return new ProxyError('plugin', `Cannot answer the request: plugin ${plugin} failed`, { cause });
}
