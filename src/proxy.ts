import type { Config } from './config/schema.ts';
import type { BaseProvider } from './providers/base.ts';
import type { Proxy, ProxyDeps } from './proxy/contract.ts';
import type { Generation } from './proxy/generation.ts';
import { needRestart, sameServices } from './config/changes.ts';
import { listTimes } from './config/discovery.ts';
import { secretsOf } from './config/keys.ts';
import { NO_PLUGINS } from './plugins/loaded.ts';
import { generate } from './proxy/generation.ts';
import { ProcessState } from './proxy/process-state.ts';
import { policyOf } from './proxy/settings.ts';

export type { Proxy, ProxyDeps } from './proxy/contract.ts';
export { newInstance } from './proxy/process-state.ts';

/** The composition root: the parts that outlive a configuration, and the parts that each configuration creates. */
export function createProxy(first: Config, deps: ProxyDeps): Proxy {
  const processState = new ProcessState(first, deps, () => current);
  const { pool, secrets, spending, discovery, traffic } = processState;
  let current = generate(first, deps.plugins ?? NO_PLUGINS, processState);
  pool.adopt(policyOf(first), current.providers, () => true);
  begin(current, processState);
  return {
    fetch: (request, bindings) => current.app.fetch(request, bindings),
    upgrade: (request, bindings) => current.app.upgrade?.(request, bindings),
    maxMessage: first.limits.realtime.max_message,
    providers: processState.statuses,
    metrics: () => processState.metrics.families(),
    inFlight: () => traffic.inFlight,
    log: processState.logState,
    recover: () => spending.recover(current.config, current.limiter, (key) => current.auth.named(key)),
    modelCount: () => current.registry.names().length,
    takeModels: (listings) => discovery?.take(listings),
    warm: () => processState.priceTable.load(),
    reload(config, plugins = NO_PLUGINS) {
      const last = current;
      secrets.replace(secretsOf(config, deps.env));
      let next: Generation;
      try {
        next = generate(config, plugins, processState);
      } catch (thrown) {
        secrets.replace(secretsOf(last.config, deps.env));
        throw thrown;
      }
      const same = sameServices(last.config, config);
      pool.adopt(policyOf(config), next.providers, (name) => same.has(name));
      current = next;
      processState.configure(config);
      last.prober.stop();
      begin(next, processState);
      closeAll(last.providers);
      return needRestart(last.config, config);
    },
    drain() {
      traffic.drain();
      processState.page.endStreams();
    },
    refuse: () => void (traffic.refusing = true),
    cut: () => traffic.cut(),
    async close() {
      current.prober.stop();
      await processState.close(current);
      closeAll(current.providers);
    },
  };
}

/** Starts the background work of a configuration: health probes and model discovery. */
function begin({ config, providers, prober }: Generation, { discovery, deps }: ProcessState): void {
  prober.start(providers);
  discovery?.adopt(providers, listTimes(config, deps.env));
}

/** Closes connections; an error of a plugin must not prevent closing the others. */
function closeAll(providers: readonly BaseProvider[]): void {
  for (const provider of providers) {
    try {
      provider.close();
    } catch (thrown) {
      const { plugin } = provider.settings;
      if (!plugin) throw thrown;
      plugin.failed(`Cannot close ${provider.name}`, thrown);
    }
  }
}
