import type { TokenRequest } from './token.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, parseJson, stringOf } from '../../wire/json.ts';

/** Shorter parts of a key are ordinary words, and useless by themselves. */
const MIN_LINE = 16;
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * Requests a token for a service account with a JWT signed by its key.
 * @param text of the key file @param nowMs since the epoch @param learn called with the secrets that are used
 * @throws ProxyError `auth` when the key file is invalid
 * @see https://developers.google.com/identity/protocols/oauth2/service-account
 */
export async function serviceAccountToken(
  text: string,
  provider: string,
  nowMs: number,
  learn: (...secrets: string[]) => void,
): Promise<TokenRequest> {
  const file = parseJson(text);
  const email = isObject(file) ? stringOf(file.client_email) : undefined;
  const pem = isObject(file) ? stringOf(file.private_key) : undefined;
  const tokenUri = isObject(file) ? stringOf(file.token_uri) : undefined;
  if (pem !== undefined) learn(pem, ...linesOf(pem));
  const url = URL.parse(tokenUri ?? 'https://oauth2.googleapis.com/token');
  // Loaded on first use: few providers are on Google Cloud.
  const { importPKCS8, SignJWT } = await import('jose');
  const key = await importPKCS8(pem ?? '', 'RS256').catch(() => undefined);
  if (email === undefined || !key || !url || !isObject(file)) {
    throw new ProxyError(
      'auth',
      `Cannot sign in for ${provider}: the credentials file is not a key of a service account`,
      { target: provider },
    );
  }
  const issued = Math.floor(nowMs / 1000);
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: stringOf(file.private_key_id) ?? '' })
    .setIssuer(email)
    .setAudience(url.href)
    .setIssuedAt(issued)
    .setExpirationTime(issued + 3_600)
    .sign(key);
  learn(assertion);
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    }).toString(),
  };
}

/** The lines of a PEM key between the first and the last: an error message may wrap them differently. */
function linesOf(pem: string): string[] {
  return pem.split(/\s+/).filter((line) => line.length >= MIN_LINE && !line.includes('-----'));
}

/**
 * Requests a token for the machine's own service account.
 * @param host of the metadata server
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
export function metadataToken(host: string): TokenRequest {
  return {
    method: 'GET',
    url: new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token`),
    headers: { 'metadata-flavor': 'Google' },
  };
}
