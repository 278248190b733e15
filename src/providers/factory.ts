import type { Clock } from '../clock.ts';
import type { ModelConfig, ProviderConfig, Timeouts } from '../config/schema.ts';
import type { BaseProvider, ProviderModel, ProviderSettings } from './base.ts';
import type { Dial, Fetch } from './transport.ts';
import { presetOf } from '../config/presets.ts';
import { AnthropicProvider } from './anthropic.ts';
import { MockProvider } from './mock/provider.ts';
import { OpenaiProvider } from './openai.ts';

export interface FactoryDeps {
  readonly clock: Clock;
  /** A fetch with its own connection pool, and how to close that. */
  readonly connect: (options: { keepaliveMs: number }) => { fetch: Fetch; release: () => void };
  readonly dial?: Dial | undefined;
  /** The provider's keys, from wherever the configuration says. */
  readonly keysOf: (config: ProviderConfig) => readonly string[];
  readonly userAgent: string;
}

/** Makes providers from their configuration: the preset's values with the operator's over them. */
export class ProviderFactory {
  readonly #deps: FactoryDeps;

  constructor(deps: FactoryDeps) {
    this.#deps = deps;
  }

  create(config: ProviderConfig): BaseProvider {
    const preset = presetOf(config.type);
    const { clock, connect, dial, keysOf, userAgent } = this.#deps;
    const keys = keysOf(config);
    const settings = settingsOf(config, keys.length);
    if (preset.protocol === 'mock') return new MockProvider(settings, mockOf(config), { clock });
    const { fetch, release } = connect({ keepaliveMs: config.keepalive_timeout });
    const options = {
      baseUrl: config.base_url ?? preset.baseUrl!,
      auth: preset.auth,
      keys,
      headers: { ...preset.headers, ...config.custom_headers },
      probePath: preset.probe,
      userAgent,
      clock,
      fetch,
      dial,
      release,
      keepaliveMs: config.keepalive_timeout,
    };
    const Provider = preset.protocol === 'anthropic' ? AnthropicProvider : OpenaiProvider;
    return new Provider(settings, options);
  }
}

function settingsOf(config: ProviderConfig, keys: number): ProviderSettings {
  const preset = presetOf(config.type);
  return {
    name: config.name,
    type: config.type,
    models: (config.models ?? preset.models).map(modelOf),
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
    prices: preset.prices,
    endpoints: preset.endpoints,
  };
}

function modelOf(model: ModelConfig): ProviderModel {
  if (typeof model === 'string') return { name: model };
  const { timeout, context_window: contextWindow, ...rest } = model;
  return { ...rest, contextWindow, timeouts: timeoutsOf(timeout) };
}

/** One duration is the longest silence, wherever it falls. */
function timeoutsOf(timeout: ProviderConfig['timeout']): Timeouts {
  if (typeof timeout !== 'number') return timeout ?? {};
  return { first_byte: timeout, first_content: timeout, idle: timeout };
}

function mockOf(config: ProviderConfig): NonNullable<ProviderConfig['mock']> {
  return (
    config.mock ?? {
      latency: 0,
      seed: 1,
      allow_header: false,
      faults: { rate: 0, kinds: ['status'], status: 503 },
    }
  );
}
