/** What providers have stored belongs to the key that had it stored, also where nothing is stored here. */
import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Inbound } from '../../pipeline/inbound.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Client } from '../client.ts';
import type { ServerContext } from '../context.ts';
import type { IssuedResponses } from './issued.ts';
import { objectOf, stringOf } from '../../wire/json.ts';
import { previousNotFound } from '../../wire/responses/client-request.ts';
import { notStored, ownerOf } from './not-stored.ts';

/** The field that names an earlier answer. */
const PREVIOUS: Partial<Record<Endpoint, string>> = {
  responses: 'previous_response_id',
  'responses.input_tokens': 'previous_response_id',
  'responses.compact': 'previous_response_id',
  'gemini.interactions': 'previous_interaction_id',
};

/**
 * Refuses to continue what another key has had a provider store.
 * @returns what to wait for, if it continues anything
 * @throws ProxyError `previous_not_found` or `not_stored`, by rejecting
 */
export function refuseForeign(
  { endpoint, json }: Inbound,
  client: Pick<Client, 'key'>,
  { issued }: Pick<ServerContext, 'issued'>,
): Promise<void> | undefined {
  const param = PREVIOUS[endpoint];
  if (param === undefined || !json) return undefined;
  const { conversation: of } = json.value;
  const conversation = stringOf(of) ?? stringOf(objectOf(of).id);
  const previous = stringOf(json.value[param]);
  if (conversation === undefined && previous === undefined) return undefined;
  return refuse({ conversation, previous, param }, ownerOf(client), issued);
}

interface Continued {
  readonly conversation: string | undefined;
  readonly previous: string | undefined;
  readonly param: string;
}

async function refuse(
  { conversation, previous, param }: Continued,
  owner: string,
  issued: IssuedResponses,
): Promise<void> {
  const isForeign = async (id: string) => (await issued.find(id, owner))?.isOwn === false;
  if (conversation !== undefined && (await isForeign(conversation)))
    throw notStored('Conversation', conversation, 'conversation');
  if (previous === undefined || !(await isForeign(previous))) return;
  throw param === 'previous_response_id'
    ? previousNotFound(previous)
    : notStored('Interaction', previous, param);
}

/** Remembers whose answer it is, if its provider stores it. */
export function noteOwner(
  { endpoint, json }: Inbound,
  client: Pick<Client, 'key'>,
  exchange: Exchange,
  { issued, turns }: Pick<ServerContext, 'issued' | 'turns'>,
): void {
  if ((endpoint !== 'responses' && endpoint !== 'gemini.interactions') || json?.value.store === false) return;
  exchange.keeps(({ outcome, issuer: provider, text }) => {
    if (outcome !== 'success' || provider === undefined || text === undefined) return;
    void turns.run(issued.note(text, { owner: ownerOf(client), provider }, endpoint === 'responses'));
  });
}
