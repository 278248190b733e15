import type { Clock } from '../clock.ts';
import type { ProviderConfig } from '../config/schema.ts';
import type { AwsCredentials } from './auth/aws.ts';
import type { Authorizer } from './auth/authorizer.ts';
import type { Fetch } from './transport.ts';
import { presetOf } from '../config/presets.ts';
import { ProxyError } from '../errors.ts';
import { keyAuth } from './auth/authorizer.ts';
import { AwsAuth, profileOf } from './auth/aws.ts';
import { entraToken } from './auth/entra.ts';
import { metadataToken, serviceAccountToken } from './auth/google.ts';
import { TokenAuth } from './auth/token.ts';
import { vertexHost } from './vertex.ts';

/** Where credentials come from, beside the configuration. */
export interface Credentials {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The provider's keys, from wherever the configuration says. */
  readonly keysOf: (config: ProviderConfig) => readonly string[];
  /** The text of a file; rejects when there is none. */
  readonly readText: (path: string) => Promise<string>;
  /** Told of each secret that is read or fetched, before it is used: nothing may show it. */
  readonly learn: (...secrets: string[]) => void;
}

type Env = Credentials['env'];

/** Where a provider is asked: the operator's own address, the vendor's, or what follows from its region. */
export function baseUrlFor(config: ProviderConfig, { env }: Pick<Credentials, 'env'>): string {
  if (config.base_url !== undefined) return config.base_url;
  if (config.type === 'bedrock') return `https://bedrock-runtime.${regionOf(config, env)}.amazonaws.com`;
  if (config.type === 'vertex') return vertexHost(config.region ?? 'global');
  return presetOf(config.type).baseUrl!;
}

/** A Vertex provider's project and location. */
export function locationOf(
  config: ProviderConfig,
  { env }: Pick<Credentials, 'env'>,
): { project: string; location: string } {
  return { project: config.project ?? env.GOOGLE_CLOUD_PROJECT ?? '-', location: config.region ?? 'global' };
}

/** How a provider is shown who asks: by its keys, or in the way its vendor has beside keys. */
export function authorizerFor(config: ProviderConfig, deps: Credentials & { fetch: Fetch }): Authorizer {
  const keys = deps.keysOf(config);
  if (keys.length > 0) return keyAuth(presetOf(config.type).auth, keys);
  const { clock, fetch, env, readText, learn } = deps;
  const { name, tenant_id: tenantId, client_id: clientId, client_secret: clientSecret } = config;
  const token = { provider: name, clock, fetch, learn };
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined) {
    const authority = env.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com';
    return new TokenAuth(() => entraToken({ tenantId, clientId, clientSecret, authority }), token);
  }
  if (config.type === 'vertex') {
    const file = config.credentials_file ?? env.GOOGLE_APPLICATION_CREDENTIALS;
    if (file === undefined)
      return new TokenAuth(() => metadataToken(env.GCE_METADATA_HOST ?? 'metadata.google.internal'), token);
    const text = () => readText(file).catch((cause: unknown) => unreadable(name, file, cause));
    return new TokenAuth(async () => serviceAccountToken(await text(), name, clock.now(), learn), token);
  }
  if (config.type === 'bedrock')
    return new AwsAuth(name, regionOf(config, env), () => awsCredentials(config, deps));
  return keyAuth('none', []);
}

function unreadable(provider: string, file: string, cause: unknown): never {
  throw new ProxyError('auth', `Cannot sign in for ${provider}: ${file} cannot be read`, {
    target: provider,
    cause,
  });
}

function regionOf({ region }: ProviderConfig, env: Env): string {
  return region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
}

/** From the environment, or from the profile; the configuration's profile goes before both. */
async function awsCredentials(
  { profile }: ProviderConfig,
  { env, readText, learn }: Credentials,
): Promise<AwsCredentials | undefined> {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: session } = env;
  if (profile === undefined && id && secret) {
    return { accessKeyId: id, secretAccessKey: secret, sessionToken: session };
  }
  const path = env.AWS_SHARED_CREDENTIALS_FILE ?? `${env.HOME ?? env.USERPROFILE ?? ''}/.aws/credentials`;
  const text = await readText(path).catch(() => '');
  const values = profileOf(text, profile ?? (env.AWS_PROFILE || 'default'));
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = values;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const { aws_session_token: sessionToken } = values;
  learn(secretAccessKey, ...(sessionToken ? [sessionToken] : []));
  return { accessKeyId, secretAccessKey, sessionToken };
}
