import type { Exchange } from '../../pipeline/record/exchange.ts';
import type { Inbound } from '../../pipeline/inbound.ts';
import type { HeaderMap } from '../../wire/headers.ts';
import type { Authenticator } from '../auth.ts';
import type { Client } from '../client.ts';
import type { Called } from '../body.ts';
import type { ServerContext } from '../context.ts';
import { addressOf } from '../network.ts';
import { ownLimits } from '../own-limits.ts';
import { permitModel } from '../permit.ts';
import { events, json } from './answers.ts';
import { ownerOf } from './not-stored.ts';
import { EventStream } from './event-stream.ts';

/** A request and its handler. */
export interface BackgroundCall extends Called {
  readonly exchange: Exchange;
  /** Restores Bun's own timeout of the connection. */
  readonly unlimited: () => void;
}

/** Answers at once with the queued response, or with its events as they arrive. */
export async function inBackground(
  context: ServerContext,
  { request, server, headers, exchange, unlimited }: BackgroundCall,
  {
    inbound,
    unexpanded,
    client,
    user,
  }: { inbound: Inbound; unexpanded: Inbound; client: Client; user: string | null },
): Promise<Response> {
  const { pipeline, running, clock } = context;
  const stored = context.stored!;
  const owner = ownerOf(client);
  // No client waits on this connection for the end.
  unlimited();
  const requester = { caller: client, user, address: () => addressOf(request, server) };
  const checked = callerLater(context, { headers, client, model: unexpanded.model });
  const body = await stored.background.accept({
    owner,
    inbound,
    request: unexpanded.json!.text,
    exchange,
    requester,
    pipeline,
    later: () => {
      const { pipeline: next, auth } = context.now();
      return { pipeline: next, requester: { ...requester, caller: checked(auth) } };
    },
    ttlMs: stored.ttlMs,
    running,
  });
  const response = inbound.stream
    ? events(
        new EventStream(
          { owner, id: inbound.storage!.id!, after: -1, streams: true },
          stored,
          clock,
          ownLimits(context, request, server),
        ).body(),
      )
    : json(body);
  response.headers.set('x-request-id', exchange.id);
  if (headers['connection'] === 'close' || context.draining()) response.headers.set('connection', 'close');
  return response;
}

/**
 * Finds the caller of a queued request again. @returns a function that throws a ProxyError if it must not
 * send requests any more
 */
function callerLater(
  context: ServerContext,
  { headers, client, model }: { headers: HeaderMap; client: Client; model: string },
): (auth: Authenticator) => Client {
  const shown = context.auth.shownBy(client, headers);
  return (auth) => {
    const now = auth.again(shown, 'responses');
    permitModel(now, model);
    return now;
  };
}
