import type { MockConfig, ProviderConfig } from '../config/schema.ts';
import type { EntraCredentials } from './auth/entra.ts';
import type { BaseProvider } from './base.ts';
import type { Services } from './services.ts';
import { presetOf } from '../config/presets.ts';
import { AnthropicProvider } from './anthropic.ts';
import { AzureProvider } from './azure.ts';
import { BedrockProvider } from './bedrock.ts';
import { CohereProvider } from './cohere.ts';
import { GeminiProvider } from './gemini.ts';
import { MockProvider } from './mock/provider.ts';
import { OpenaiProvider } from './openai.ts';
import { VertexProvider } from './vertex.ts';

/** A class of providers. It defines the schema of its own options. */
export type ProviderClass = new (services: Services<never>) => BaseProvider;

type Env = Readonly<Record<string, string | undefined>>;

/** The class of a built-in vendor, and its options. */
export function builtIn(config: ProviderConfig, env: Env): { make: ProviderClass; options: unknown } {
  const { api, also = {}, onlyResponses, storesResponses } = presetOf(config.type);
  const openai = { also, onlyResponses, storesResponses };
  switch (api) {
    case 'anthropic':
      return { make: AnthropicProvider, options: {} };
    case 'gemini':
      return { make: GeminiProvider, options: {} };
    case 'vertex':
      return { make: VertexProvider, options: vertexOptions(config, env) };
    case 'bedrock':
      return { make: BedrockProvider, options: { region: regionOf(config, env), profile: config.profile } };
    case 'cohere':
      return { make: CohereProvider, options: {} };
    case 'mock':
      return { make: MockProvider, options: config.mock ?? PLAIN_MOCK };
    case 'plugin':
      throw new Error(`Cannot create provider ${config.name}: no plugin has its type ${config.type}`);
    default:
      return config.type === 'azure'
        ? { make: AzureProvider, options: { ...openai, ...azureOptions(config, env) } }
        : { make: OpenaiProvider, options: openai };
  }
}

const PLAIN_MOCK: MockConfig = {
  latency: 0,
  seed: 1,
  allow_header: false,
  faults: { rate: 0, kinds: ['status'], status: 503 },
};

function vertexOptions({ project, region, credentials_file: credentialsFile }: ProviderConfig, env: Env) {
  return {
    project: project ?? env.GOOGLE_CLOUD_PROJECT ?? '-',
    location: region ?? 'global',
    credentialsFile,
  };
}

function regionOf({ region }: ProviderConfig, env: Env): string {
  return region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
}

function azureOptions(config: ProviderConfig, env: Env) {
  const { api_version: apiVersion, tenant_id: tenantId, client_id: clientId } = config;
  const { client_secret: clientSecret } = config;
  const authority = env.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com';
  const isComplete = tenantId !== undefined && clientId !== undefined && clientSecret !== undefined;
  const entra: EntraCredentials | undefined = isComplete
    ? { tenantId, clientId, clientSecret, authority }
    : undefined;
  return { apiVersion, entra };
}
