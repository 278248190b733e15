import type { Clock } from '../clock.ts';
import type { Preset } from '../config/presets.ts';
import type { ModelConfig, ProviderConfig, Timeouts } from '../config/schema.ts';
import type { BaseProvider, ProviderModel, ProviderSettings } from './base.ts';
import type { HttpOptions } from './http.ts';
import type { Credentials } from './credentials.ts';
import type { Dial, Fetch } from './transport.ts';
import { presetOf } from '../config/presets.ts';
import { AnthropicProvider } from './anthropic.ts';
import { AzureDeploymentsProvider } from './azure.ts';
import { BedrockProvider } from './bedrock.ts';
import { CohereProvider } from './cohere.ts';
import { authorizerFor, baseUrlFor, locationOf } from './credentials.ts';
import { GeminiProvider } from './gemini.ts';
import { MockProvider } from './mock/provider.ts';
import { OpenaiProvider } from './openai.ts';
import { QUIRKS } from './quirks.ts';
import { VertexProvider } from './vertex.ts';

export interface FactoryDeps extends Credentials {
  readonly clock: Clock;
  /** A fetch with its own connection pool, and how to close that. */
  readonly connect: (options: { keepaliveMs: number }) => { fetch: Fetch; release: () => void };
  readonly dial?: Dial | undefined;
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
    const settings = settingsOf(config, keysOf(config).length);
    if (preset.api === 'mock') return new MockProvider(settings, mockOf(config), { clock });
    const { fetch, release } = connect({ keepaliveMs: config.keepalive_timeout });
    const options: HttpOptions = {
      baseUrl: baseUrlFor(config, this.#deps),
      auth: authorizerFor(config, { ...this.#deps, fetch }),
      headers: { ...preset.headers, ...config.custom_headers },
      probePath: preset.probe,
      userAgent,
      clock,
      fetch,
      dial,
      release,
      keepaliveMs: config.keepalive_timeout,
    };
    return this.#make(config, preset, settings, options);
  }

  #make(
    config: ProviderConfig,
    { api, also = {}, onlyResponses }: Preset,
    settings: ProviderSettings,
    options: HttpOptions,
  ): BaseProvider {
    switch (api) {
      case 'anthropic':
        return new AnthropicProvider(settings, options);
      case 'gemini':
        return new GeminiProvider(settings, options);
      case 'vertex':
        return new VertexProvider(settings, { ...options, ...locationOf(config, this.#deps) });
      case 'bedrock':
        return new BedrockProvider(settings, options);
      case 'cohere':
        return new CohereProvider(settings, options);
      default: {
        const openai = { ...options, also, onlyResponses };
        const { api_version: apiVersion } = config;
        return apiVersion === undefined
          ? new OpenaiProvider(settings, openai)
          : new AzureDeploymentsProvider(settings, { ...openai, apiVersion });
      }
    }
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
    quirks: QUIRKS[config.type] ?? {},
  };
}

function modelOf(model: ModelConfig): ProviderModel {
  if (typeof model === 'string') return { name: model };
  const { timeout, context_window: contextWindow, max_output: maxOutput, ...more } = model;
  const { rate_limit: rateLimit, ...rest } = more;
  return { ...rest, contextWindow, maxOutput, rateLimit, timeouts: timeoutsOf(timeout) };
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
