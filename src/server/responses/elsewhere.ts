import type { Client } from '../client.ts';
import type { Called } from '../body.ts';
import type { ServerContext } from '../context.ts';
import type { StoredObject } from '../../limits/object-owners.ts';
import type { BaseProvider, PassCall } from '../../providers/base.ts';
import type { NotHere, StoredKind } from './not-stored.ts';
import { ProxyError, statusOf, toProxyError } from '../../errors.ts';
import { finishFailed } from '../../pipeline/pipeline.ts';
import { pathTemplate, safeSegments } from '../../wire/safe-path.ts';
import { passedHeaders, passingHeaders } from '../../wire/headers.ts';
import { ownerOf } from './not-stored.ts';
import { errorResponse } from '../error.ts';
import { leaving } from '../inference.ts';
import { addressOf } from '../network.ts';
import { ownLimits } from '../own-limits.ts';
import { VIA, viaHere } from '../via.ts';

/** The longest User-Agent in a record, characters. */
const MAX_USER_AGENT = 200;

/** A request about something that is not stored here. */
export interface CalledElsewhere extends Called {
  /** The id of the request. */
  readonly id: string;
  readonly client: Client;
  /** The body, if it was read. */
  readonly body: PassCall['body'];
}

/**
 * Forwards a request to the provider that has what is not stored here: the one that is known to have stored
 * it, or the only one that may have. It is a request that is passed through like any other: with a record,
 * and counted by the limits of its key; it costs nothing.
 * @throws the refusal, worded differently if several providers may have it
 */
export async function askElsewhere(
  context: ServerContext,
  called: CalledElsewhere,
  refusal: NotHere,
): Promise<Response> {
  const provider = await keeper(context, called, refusal);
  const { id, request, headers } = called;
  const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null;
  const exchange = context.begin(id, 'passthrough', userAgent, headers);
  exchange.finally(ownLimits(context, request, called.server));
  try {
    return await forwarded(context, called, { provider, of: refusal.of }, exchange);
  } catch (thrown) {
    const error = toProxyError(thrown);
    if (error.fault === 'internal') context.problem(`Request ${id}: ${String(error.cause ?? error)}`);
    finishFailed(exchange, error, statusOf(error));
    const { attempts, limitHeaders } = exchange;
    const endpoint = refusal.of === 'interactions' ? 'gemini.interactions' : 'responses';
    return errorResponse(error, { id, attempts, limitHeaders, endpoint });
  }
}

/** The provider to ask. @throws the refusal */
async function keeper(
  { registry, stored, issued, clock }: ServerContext,
  { client }: CalledElsewhere,
  refusal: NotHere,
): Promise<BaseProvider> {
  const { of, id } = refusal;
  const owner = ownerOf(client);
  const known = await issued.find(id, owner);
  if (known && !known.isOwn) throw refusal;
  // What another key has stored is out of reach, wherever it is.
  if (stored && of !== 'interactions') {
    const nowMs = clock.now();
    const { kind } =
      of === 'responses'
        ? await stored.store.ask('responses', 'chain', owner, id, nowMs)
        : await stored.store.ask('conversations', 'said', owner, id);
    if (kind === 'foreign') throw refusal;
  }
  const candidates = [...registry.providers].filter(
    (provider) => placeOf(provider, of) !== undefined && client.access.allowsProvider(provider.name),
  );
  const issuer = candidates.find(({ name }) => name === known?.provider);
  const [only, second] = candidates;
  if (issuer) return issuer;
  // Its model is unknown.
  if (!only || client.access.narrowsModels) throw refusal;
  if (!second) return only;
  const names = candidates.map(({ name }) => name).join(', ');
  const why = `It is not stored here, and several providers may have it (${names}): use a key that may use only one of them.`;
  throw new ProxyError('not_stored', `${refusal.message} ${why}`);
}

async function forwarded(
  context: ServerContext,
  { id, request, headers, server, client, body }: CalledElsewhere,
  { provider, of }: { readonly provider: BaseProvider; readonly of: StoredKind },
  exchange: ReturnType<ServerContext['begin']>,
): Promise<Response> {
  exchange.comesFrom({
    key: client.key,
    // The answer is not parsed.
    content: 'metadata',
    conversation: null,
    group: client.group,
    labels: client.labels,
  });
  const { segments, query } = placeAt(placeOf(provider, of)!, new URL(request.url, 'http://localhost'));
  const { method } = request;
  exchange.passes(provider.name, method, pathTemplate(segments));
  exchange.asks({ model: '', stream: false, text: undefined, user: null, tags: null });
  context.admit(exchange);
  const travelling = passingHeaders(headers);
  travelling[VIA] = viaHere(headers, context.instance);
  Object.assign(travelling, exchange.joinTrace());
  // The body was decompressed when it was read.
  delete travelling['content-encoding'];
  const creates = of === 'conversations' && method === 'POST' && segments.at(-1) === 'conversations';
  // The answer is looked at as it passes.
  if (creates) travelling['accept-encoding'] = 'identity';
  const abort = leaving(request.signal);
  context.running.add(abort, exchange);
  const call = { method, segments, query, headers: travelling, body };
  const requester = { caller: client, user: null, address: () => addressOf(request, server) };
  const passed = await context.passthrough.read({ provider, call }, exchange, requester, abort);
  const back = passedHeaders(passed.upstream, context.mask);
  Object.assign(back, exchange.limitHeaders);
  back['x-request-id'] = id;
  back['x-llmproxy-provider'] = provider.name;
  // The body of an error was decompressed to be read.
  if (typeof passed.body === 'string') delete back['content-encoding'];
  const { status } = passed;
  const answer =
    creates && status < 300 && passed.body instanceof ReadableStream
      ? passed.body.pipeThrough(beside(note(context, { owner: ownerOf(client), provider: provider.name })))
      : passed.body;
  return new Response(answer, { status, headers: back });
}

/** Remembers whose conversation a provider has created. @returns what receives its answer */
function note({ issued, turns }: ServerContext, object: StoredObject): (text: string) => void {
  return (text) => void turns.run(issued.note(text, object, false));
}

/** The largest answer that is looked at, bytes: one about a new conversation is much shorter. */
const MAX_NOTED = 64 * 1024;

/** Passes an answer on unchanged. @param take receives it at its end, unless it is large */
function beside(take: (text: string) => void): TransformStream<Uint8Array, Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  return new TransformStream({
    transform(piece, controller) {
      bytes += piece.length;
      if (bytes <= MAX_NOTED) pieces.push(piece);
      controller.enqueue(piece);
    },
    flush() {
      if (bytes <= MAX_NOTED) take(Buffer.concat(pieces).toString());
    },
  });
}

/** The path below which a provider has what it stored. */
function placeOf(provider: BaseProvider, of: StoredKind): string | undefined {
  return of === 'interactions' ? provider.storedInteractions : provider.storedResponses;
}

/** The provider's path for one of ours. @throws ProxyError `invalid_request` */
function placeAt(place: string, url: URL): Pick<PassCall, 'segments' | 'query'> {
  const [path = '', own] = place.split('?');
  const [called = ''] = /\/(?:responses|conversations|interactions)(?:\/.*)?$/.exec(url.pathname) ?? [];
  const segments = safeSegments(path.replace(/\/(?:responses|interactions)$/, '') + called);
  if (!segments)
    throw new ProxyError(
      'invalid_request',
      'Cannot forward the request: its path has empty segments, dots in place of a name, or encoded slashes',
    );
  const given = url.search
    .slice(1)
    .split('&')
    .filter((pair) => !pair.startsWith('key='));
  const query = [...given, own].filter((part) => part !== undefined && part !== '').join('&');
  return { segments, query };
}
