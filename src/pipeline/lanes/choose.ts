import type { BaseProvider } from '../../providers/base.ts';
import type { Inbound } from '../inbound.ts';
import type { Lane } from './lane.ts';
import { isCount, isEmbedding } from '../../wire/endpoints.ts';
import { compact } from './compact.ts';
import { count } from './count.ts';
import { embed } from './embed.ts';
import { load, onlyLoads } from './load.ts';
import { relay } from './relay.ts';
import { translate } from './translate.ts';

/** Chooses the lane for a request's protocol and a provider's. What is already translated is not relayed. */
export function laneFor(
  inbound: Pick<Inbound, 'endpoint' | 'continuation' | 'json'>,
  provider: BaseProvider,
  model: string,
): Lane {
  const { endpoint, continuation, json } = inbound;
  if (onlyLoads(inbound)) return load;
  if (!continuation?.translated && provider.relays(endpoint, model, json?.value)) return relay;
  if (isEmbedding(endpoint)) return embed;
  if (endpoint === 'responses.compact') return compact;
  return isCount(endpoint) ? count : translate;
}
