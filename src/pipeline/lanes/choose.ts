import type { BaseProvider } from '../../providers/base.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Lane } from './lane.ts';
import { count } from './count.ts';
import { embed } from './embed.ts';
import { relay } from './relay.ts';
import { translate } from './translate.ts';

/** The lane from the protocol of an endpoint's clients to a provider's. */
export function laneFor(endpoint: Endpoint, provider: BaseProvider, model: string): Lane {
  if (provider.relays(endpoint, model)) return relay;
  if (endpoint === 'embeddings') return embed;
  return endpoint === 'messages.count_tokens' || endpoint === 'responses.input_tokens' ? count : translate;
}
