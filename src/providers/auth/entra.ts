import type { TokenRequest } from './token.ts';

/** The scope of Azure's AI services. */
const SCOPE = 'https://cognitiveservices.azure.com/.default';

export interface EntraCredentials {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The sign-in endpoint, which differs in national clouds. */
  readonly authority: string;
}

/**
 * Requests a token with client credentials.
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export function entraToken(credentials: EntraCredentials): TokenRequest {
  const { tenantId, clientId, clientSecret, authority } = credentials;
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: SCOPE,
  };
  return {
    method: 'POST',
    url: new URL(`${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}
