import type { Services } from '../services.ts';
import type { Authorizer, Unsigned } from './authorizer.ts';
import { ProxyError } from '../../errors.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Signs requests with AWS's Signature Version 4. */
export class AwsAuth implements Authorizer {
  readonly #provider: string;
  readonly #region: string;
  readonly #credentials: () => Promise<AwsCredentials | undefined>;

  /** @param credentials called for each request, so that a changed file takes effect */
  constructor(provider: string, region: string, credentials: () => Promise<AwsCredentials | undefined>) {
    this.#provider = provider;
    this.#region = region;
    this.#credentials = credentials;
  }

  async headers({ method, url, headers, body }: Unsigned): Promise<Record<string, string>> {
    const credentials = await this.#credentials();
    if (!credentials) {
      throw new ProxyError('auth', `Cannot sign in for ${this.#provider}: there are no AWS credentials`, {
        target: this.#provider,
      });
    }
    // Loaded on first use: few providers are on AWS.
    const { AwsV4Signer } = await import('aws4fetch');
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { 'content-type': headers['content-type'] ?? 'application/json' },
      ...(body === undefined ? {} : { body }),
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
      service: 'bedrock',
      region: this.#region,
    });
    const signed = await signer.sign();
    return Object.fromEntries([...signed.headers].filter(([name]) => name !== 'host'));
  }
}

/** From the environment, or from a profile; an explicitly named profile takes precedence. */
export async function awsCredentials(
  profile: string | undefined,
  { env, readText, hide }: Pick<Services, 'env' | 'readText' | 'hide'>,
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
  hide(secretAccessKey, ...(sessionToken ? [sessionToken] : []));
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** The section of an AWS credentials or config file for a profile. @param text in INI format */
export function profileOf(text: string, profile: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  let inside = false;
  for (const line of text.split('\n')) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line);
    if (section) inside = section[1] === profile;
    const pair = /^\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && pair) values[pair[1]!] = pair[2]!;
  }
  return values;
}
