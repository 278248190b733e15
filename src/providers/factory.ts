import type { Clock } from '../clock.ts';
import type { ModelConfig, ProviderConfig, Timeouts } from '../config/schema.ts';
import type { BaseProvider, PluginOwner, ProviderModel, ProviderSettings } from './base.ts';
import type { ProviderClass } from './classes.ts';
import type { Services } from './services.ts';
import type { Connect, Dial } from './transport.ts';
import { presetOf } from '../config/presets.ts';
import { isRegional, priceVendor } from '../config/price-vendor.ts';
import { builtIn } from './classes.ts';
import { overridesOf } from './overrides.ts';
import { quirksOf } from './quirks.ts';

export interface FactoryDeps {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The provider's keys, from any source that the configuration names. */
  readonly keysOf: (config: ProviderConfig) => readonly string[];
  /** Returns the text of a file; rejects when it does not exist. */
  readonly readText: (path: string) => Promise<string>;
  /** Called with each secret that is read or fetched before it is used: it must not be shown anywhere. */
  readonly learn: (...secrets: string[]) => void;
  readonly connect: Connect;
  readonly dial?: Dial | undefined;
  readonly userAgent: string;
  /** Reports something to the operator. */
  readonly log: (message: string) => void;
  /** The classes of plugins, by type. */
  readonly plugins?: ReadonlyMap<string, PluginClass> | undefined;
}

/** A provider class of a plugin. */
export interface PluginClass {
  readonly plugin: PluginOwner;
  readonly make: ProviderClass;
  /** The endpoint families that it serves. */
  readonly endpoints: readonly string[];
}

/** Creates providers from the configuration: the values of the preset, overridden by the operator's. */
export class ProviderFactory {
  readonly #deps: FactoryDeps;

  constructor(deps: FactoryDeps) {
    this.#deps = deps;
  }

  /** @throws as the constructor of a plugin's class does */
  create(config: ProviderConfig): BaseProvider {
    const plugin = this.#deps.plugins?.get(config.type);
    const { make, options } = plugin
      ? { make: plugin.make, options: config.options ?? {} }
      : builtIn(config, this.#deps.env);
    return new make(this.#services(config, options, plugin));
  }

  #services(config: ProviderConfig, options: unknown, plugin: PluginClass | undefined): Services<never> {
    const preset = presetOf(config.type);
    const { clock, connect, dial, env, keysOf, learn, log, readText, userAgent } = this.#deps;
    const keys = keysOf(config);
    const settings = settingsOf(config, keys.length, plugin);
    const { name, models } = settings;
    const keepaliveMs = config.keepalive_timeout;
    const { fetch, release } = connect({ keepaliveMs, http2: config.http2 });
    return {
      name,
      models,
      options: options as never,
      keys,
      baseUrl: config.base_url ?? preset.baseUrl,
      env,
      clock,
      fetch,
      readText,
      log: (message) => log(`Provider ${name}: ${message}`),
      hide: learn,
      settings,
      transport: {
        scheme: preset.auth,
        headers: config.custom_headers,
        probePath: preset.probe,
        listPath: preset.list ?? preset.probe,
        userAgent,
        dial,
        keepaliveMs,
        release,
      },
    };
  }
}

function settingsOf(config: ProviderConfig, keys: number, plugin: PluginClass | undefined): ProviderSettings {
  const preset = presetOf(config.type);
  return {
    name: config.name,
    type: config.type,
    models: (config.models ?? preset.models).map(modelOf),
    contextWindow: config.context_window,
    priority: config.priority,
    weight: config.weight,
    timeouts: timeoutsOf(config.timeout),
    maxRetries: config.max_retries,
    retryDelayMs: config.retry_delay,
    rateLimit: config.rate_limit,
    maxConnections: config.max_connections,
    keys: Math.max(1, keys),
    prefill: preset.prefill,
    probeModel: config.probe_model,
    prices: priceVendor(config.type, config.base_url),
    isRegional: isRegional(config.type, config.base_url, config.region),
    passthrough: config.passthrough,
    endpoints: plugin?.endpoints ?? preset.endpoints,
    quirks: quirksOf(config.type, config.base_url),
    plugin: plugin?.plugin,
    askUsage: config.ask_usage,
    redact: config.redact,
    overrides: overridesOf(config),
  };
}

function modelOf(model: ModelConfig): ProviderModel {
  if (typeof model === 'string') return { name: model };
  const { timeout, context_window: contextWindow, max_output: maxOutput, ...more } = model;
  const { rate_limit: rateLimit, request: _request, api: _api, abilities: _abilities, ...rest } = more;
  return { ...rest, contextWindow, maxOutput, rateLimit, timeouts: timeoutsOf(timeout) };
}

/** A single duration is the longest silence at any point. */
function timeoutsOf(timeout: ProviderConfig['timeout']): Timeouts {
  if (typeof timeout !== 'number') return timeout ?? {};
  return { first_byte: timeout, first_content: timeout, idle: timeout };
}
