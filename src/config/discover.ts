import type { Config, ConfigInput } from './schema.ts';
import type { ProviderType } from './presets.ts';
import { PROVIDER_TYPES, presetOf } from './presets.ts';
import { schema } from './schema.ts';

/** A provider found in the environment, and the variable that it was found by. */
export interface Found {
  readonly name: string;
  readonly type: ProviderType;
  readonly reason: string;
}

/**
 * The configuration without a file: every vendor whose key is in the environment, and the mock provider, so that even a
 * machine without any key answers.
 */
export function discoverConfig(env: Readonly<Record<string, string | undefined>>): {
  config: Config;
  found: readonly Found[];
} {
  const found: Found[] = [];
  const providers: ConfigInput['providers'] = [];
  for (const type of PROVIDER_TYPES) {
    // `grok` is an alias of xai; of Perplexity's two presets the newer one is used.
    if (type === 'grok' || type === 'perplexity-sonar') continue;
    const { keyEnv, priority } = presetOf(type);
    const variable = keyEnv.find((name) => env[name]);
    const endpoint = type === 'azure' ? env.AZURE_OPENAI_ENDPOINT : undefined;
    if (type !== 'mock' && (!variable || (type === 'azure' && !endpoint))) continue;
    if (type === 'bedrock' && !(env.AWS_REGION ?? env.AWS_DEFAULT_REGION)) continue;
    const azure = endpoint ? { base_url: `${endpoint.replace(/\/+$/, '')}/openai/v1`, models: ['*'] } : {};
    providers.push({ name: type, type, priority, ...azure });
    found.push({
      name: type,
      type,
      reason: variable ? `${variable} is set` : 'always there: models mock, mock-*',
    });
  }
  return { config: schema.parse({ providers }), found };
}
