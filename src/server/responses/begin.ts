import type { Client } from '../client.ts';
import type { ServerContext } from '../context.ts';
import type { LogContent } from '../../config/schema.ts';
import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Settled } from '../../pipeline/record/exchange-facts.ts';
import type { Inbound } from '../../pipeline/inbound.ts';
import type { Chain } from '../../stored/entries.ts';
import type { Endpoint } from '../../wire/endpoints.ts';
import type { Steps } from '../../turns.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { StorageState } from '../../wire/responses/storage-state.ts';
import type { Origin } from '../inbound.ts';
import type { StoredService } from './service.ts';
import { ProxyError } from '../../errors.ts';
import type { LastAnswer } from './last-answer.ts';
import { inputItems } from '../../stored/items.ts';
import { exactly } from '../../wire/json-exact.ts';
import { parseInSteps } from '../../wire/json-steps.ts';
import { writeBody } from '../../wire/json-write.ts';
import { isObject, listOf, objectOf, stringOf } from '../../wire/json.ts';
import { previousNotFound } from '../../wire/responses/client-request.ts';
import { parseInbound } from '../inbound.ts';
import { notStored, ownerOf } from './not-stored.ts';
import { boundsOf } from '../json.ts';

/** The caller of a request, and its exchange. */
export interface Asking {
  readonly client: Pick<Client, 'key'>;
  /** How much of it may be kept. */
  readonly content: LogContent;
  readonly origin: Origin;
  readonly exchange: Exchange;
  /** The last answer of the connection that it arrived over, if that is kept. */
  readonly last: LastAnswer | undefined;
}

/** The fields of a request that concern stored responses. */
interface Stateful {
  readonly previous: string | undefined;
  readonly conversation: string | undefined;
  readonly background: boolean;
  readonly stores: boolean;
}

/**
 * Prepares a request of the Responses API where responses are stored: references are replaced by the earlier
 * conversation, and the answer is stored at its end, unless it runs in the background, which is not started here.
 * @throws ProxyError `previous_not_found`, `not_stored`, `too_large`, `invalid_request`
 */
export async function beginStored(
  inbound: Inbound,
  asking: Asking,
  context: ServerContext,
  stored: StoredService | undefined,
): Promise<Inbound> {
  const { json, endpoint } = inbound;
  if (!json) return inbound;
  const stateful = statefulIn(json.value, mayStore(stored, asking));
  const { previous, conversation, background, stores } = stateful;
  const storage: StorageState = {
    store: stores,
    previous,
    conversation,
    background,
    ...(background ? { id: `resp_${context.newId().slice('req_'.length)}` } : {}),
  };
  const known = { ...inbound, storage };
  const from = await comesFrom(stateful, asking, context, stored);
  const begun =
    from?.kind === 'found'
      ? await expanded(known, { from, storage }, asking, context)
      : background
        ? await context.turns.run(without(known, ['background'], asking, context))
        : known;
  const { last } = asking;
  const mayBeStored = json.value.store !== false;
  if (endpoint === 'responses' && !background && (mayBeStored || last)) {
    const { exchange, client } = asking;
    exchange.keeps((settled: Settled) => {
      const { outcome, issuer } = settled;
      if (outcome !== 'success' || (issuer === undefined && !stores && !last)) return;
      const { text } = settled;
      if (text === undefined) return;
      if (mayBeStored && issuer !== undefined)
        void context.turns.run(context.issued.note(text, { owner: ownerOf(client), provider: issuer }, true));
      last?.keep(from?.items ?? '[]', json.text, text);
      if (!stores) return;
      const nowMs = context.clock.now();
      stored!.store.put(json.text.length + text.length, 'responses', 'keep', {
        owner: ownerOf(client),
        request: json.text,
        response: text,
        previous,
        conversation,
        issuer,
        nowMs,
        untilMs: nowMs + stored!.ttlMs,
      });
    });
  }
  return begun;
}

/** Whether requests of an endpoint may refer to stored responses. */
export function isStateful(endpoint: Endpoint): boolean {
  return STATEFUL.has(endpoint);
}

const STATEFUL: ReadonlySet<Endpoint> = new Set(['responses', 'responses.input_tokens', 'responses.compact']);

function mayStore(stored: StoredService | undefined, { content }: Asking): boolean {
  return stored !== undefined && (stored.keep === 'asked' || content === 'full');
}

function statefulIn(value: JsonObject, mayStore: boolean): Stateful {
  const { previous_response_id: before, conversation: of } = value;
  const previous = stringOf(before) || undefined;
  const conversation = stringOf(of) || stringOf(objectOf(of).id) || undefined;
  const background = value.background === true;
  const stores = mayStore && value.store !== false;
  if (previous !== undefined && conversation !== undefined)
    throw invalid('previous_response_id', 'it cannot be used together with "conversation"');
  if (background && !stores) {
    const why =
      value.store === false
        ? 'store must not be false'
        : 'the log may not keep the content of requests of this key';
    throw invalid('background', `a background response is stored, and ${why}`);
  }
  return { previous, conversation, background, stores };
}

/** The earlier conversation; `undefined` if there is none, or it is unknown here. */
async function comesFrom(
  { previous, conversation }: Stateful,
  { client, last }: Asking,
  { clock, turns }: ServerContext,
  stored: StoredService | undefined,
): Promise<Extract<Chain, { kind: 'found' }> | undefined> {
  const owner = ownerOf(client);
  const here = previous === undefined || !last ? undefined : await turns.run(last.find(previous));
  if (here) return here;
  if (!stored) return undefined;
  const { store } = stored;
  const chain =
    previous !== undefined
      ? await store.ask('responses', 'chain', owner, previous, clock.now())
      : conversation !== undefined
        ? await store.ask('conversations', 'said', owner, conversation)
        : undefined;
  switch (chain?.kind) {
    case 'found':
      return chain;
    case 'foreign':
      throw previous === undefined
        ? notStored('Conversation', conversation!, 'conversation')
        : previousNotFound(previous);
    case 'running':
      throw invalid('previous_response_id', 'that response is still in progress');
    case 'too_large':
      throw new ProxyError(
        'too_large',
        'Cannot continue the conversation: its earlier part is larger than limits.max_body allows',
      );
    case 'missing':
      // An earlier response was deleted. A response that was never here may be known to the provider.
      if (previous !== undefined && chain.id !== previous) throw previousNotFound(chain.id);
      return undefined;
    default:
      return undefined;
  }
}

/** The request with the earlier conversation; and as it was sent, for the provider that has stored it. */
async function expanded(
  inbound: Inbound,
  { from, storage }: { from: Extract<Chain, { kind: 'found' }>; storage: StorageState },
  asking: Asking,
  context: ServerContext,
): Promise<Inbound> {
  const { turns } = context;
  const { issuer, issued } = from;
  const whole = await turns.run(joint(inbound, from.items, asking, context));
  if (issuer === undefined || issued === undefined) return whole;
  const isAsSent = issued === storage.previous && !storage.background;
  const asSent = isAsSent
    ? inbound
    : await turns.run(without(inbound, ['background'], asking, context, { previous_response_id: issued }));
  return { ...whole, chained: { issuer, asSent } };
}

function* joint(inbound: Inbound, items: string, asking: Asking, context: ServerContext): Steps<Inbound> {
  const { text, value } = inbound.json!;
  const { previous_response_id: _p, conversation: _c, background: _b, ...own } = exactly(text, value);
  const { input } = own;
  if (input !== undefined && typeof input !== 'string' && !Array.isArray(input))
    throw invalid('input', 'expected a text or a list of items');
  const before = yield* parseInSteps(items, boundsOf(context.limits));
  const earlier = listOf(isObject(before) || Array.isArray(before) ? exactly(items, before as never) : []);
  const body = { ...own, input: [...earlier, ...inputItems(input)] };
  const read = yield* rewritten(inbound, body, asking, context);
  return { ...read, expanded: true };
}

/** The request with some fields removed or replaced. */
function* without(
  inbound: Inbound,
  names: readonly string[],
  asking: Asking,
  context: ServerContext,
  others: JsonObject = {},
): Steps<Inbound> {
  const { text, value } = inbound.json!;
  const kept = Object.entries(exactly(text, value)).filter(([name]) => !names.includes(name));
  return yield* rewritten(inbound, { ...Object.fromEntries(kept), ...others }, asking, context);
}

function* rewritten(
  inbound: Inbound,
  body: JsonObject,
  { client, origin, exchange }: Asking,
  context: ServerContext,
): Steps<Inbound> {
  const { limits, buffered } = context;
  const written = yield* writeBody(body);
  const bytes = typeof written === 'string' ? new TextEncoder().encode(written) : written;
  if (bytes.length > limits.max_body)
    throw new ProxyError(
      'too_large',
      'Cannot continue the conversation: the request and its earlier part are larger than limits.max_body allows',
    );
  const owner = client.key ?? undefined;
  buffered.take(owner, bytes.length);
  exchange.finally(() => buffered.free(owner, bytes.length));
  const read = yield* parseInbound(origin, bytes, context);
  return { ...read, storage: inbound.storage };
}

function invalid(param: string, state: string): ProxyError {
  return new ProxyError('invalid_request', `Cannot read ${param}: ${state}`, { param });
}
