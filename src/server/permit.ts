import type { Recorded } from '../wire/endpoints.ts';
import type { Client } from './client.ts';
import { ProxyError } from '../errors.ts';
import { shownName } from '../pipeline/routing/unknown-model.ts';

/** @throws ProxyError `not_permitted` if the caller's lists do not allow the endpoint */
export function permitEndpoint({ key, access }: Client, endpoint: Recorded): void {
  if (access.allowsEndpoint(endpoint)) return;
  throw new ProxyError(
    'not_permitted',
    `Cannot use the endpoint ${endpoint}: the key "${key}" may not; ask the operator to add it to \`endpoints\` of the key or its groups`,
  );
}

/** @throws ProxyError `not_permitted` if the caller's lists do not allow the model under the requested name */
export function permitModel({ key, access }: Client, model: string): void {
  if (access.allowsModel(model)) return;
  throw new ProxyError(
    'not_permitted',
    `Cannot use model "${shownName(model)}": the key "${key}" may not use it; GET /v1/models lists those it may use`,
    { param: 'model' },
  );
}

/** @throws ProxyError `not_permitted` if the caller's lists do not allow the provider */
export function permitProvider({ key, access }: Client, provider: string): void {
  if (access.allowsProvider(provider)) return;
  throw new ProxyError(
    'not_permitted',
    `Cannot use the provider "${provider}": the key "${key}" may not; ask the operator to add it to \`providers\` of the key or its groups`,
  );
}
