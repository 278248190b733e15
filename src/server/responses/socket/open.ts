import type { HeaderMap } from '../../../wire/headers.ts';
import type { ServerContext } from '../../context.ts';
import type { Upgrade } from '../../realtime/open.ts';
import { ProxyError, toProxyError } from '../../../errors.ts';
import { errorResponse } from '../../error.ts';
import { networkOf } from '../../network.ts';
import { agreedProtocol, spelledOut } from '../../realtime/credentials.ts';
import { ResponsesSocket } from './socket.ts';

/**
 * Opens connections of the Responses API: GET /v1/responses as a WebSocket. A caller that may use the endpoint may open
 * one, and all requests on it use the same key.
 * @see https://developers.openai.com/docs/guides/websocket-mode
 */
export function openResponses(context: ServerContext): Upgrade {
  return async (request, given, bindings) => {
    const id = context.newId();
    try {
      const headers = credentials(request, given);
      if (context.draining())
        throw new ProxyError('shutting_down', 'Cannot open a connection: shutting down');
      const { key } = await context.auth.client(headers, 'responses');
      const { sockets, limits, buffered } = context;
      if (sockets.size >= limits.max_concurrent)
        throw new ProxyError('unavailable', 'Cannot open a connection: limits.max_concurrent is reached', {
          retryAfterMs: 1_000,
        });
      const peer = bindings.server?.requestIP(request) ?? null;
      const owner = key ?? (peer ? networkOf(peer.address) : undefined);
      checkShare(sockets, owner, limits.max_concurrent);
      const held = {
        take: (bytes: number) => buffered.take(owner, bytes),
        free: (bytes: number) => buffered.free(owner, bytes),
      };
      const server = { timeout: () => undefined, requestIP: () => peer };
      const turns = { url: request.url.split('?')[0]!, headers, bindings: { server } };
      const socket = new ResponsesSocket(context, turns, {
        owner,
        held,
        ended: () => sockets.delete(socket),
      });
      const answer = { 'x-request-id': id, 'sec-websocket-protocol': agreedProtocol(given) ?? '' };
      sockets.add(socket);
      if (bindings.server?.upgrade?.(request, { data: socket, headers: answer })) return undefined;
      socket.closed();
      throw new ProxyError(
        'invalid_request',
        'Cannot open a connection: the request is not a WebSocket handshake',
      );
    } catch (thrown) {
      return errorResponse(toProxyError(thrown), { id, attempts: [], endpoint: 'responses' });
    }
  };
}

/** One client may have half of all connections, so that others get some. @throws ProxyError `over_share` */
function checkShare(sockets: Iterable<object>, owner: string | undefined, most: number): void {
  if (owner === undefined) return;
  let own = 0;
  for (const each of sockets) if (each instanceof ResponsesSocket && each.owner === owner) own += 1;
  if (own >= Math.ceil(most / 2))
    throw new ProxyError(
      'over_share',
      'Cannot open a connection: this client holds half of the most allowed (limits.max_concurrent)',
      { retryAfterMs: 1_000 },
    );
}

/** The response to a plain GET. @throws ProxyError */
export async function refusePlainGet(
  context: ServerContext,
  request: Request,
  given: HeaderMap,
): Promise<never> {
  await context.auth.client(credentials(request, given), 'responses');
  throw new ProxyError('upgrade_required', 'Cannot list responses: GET opens a WebSocket at this path', {
    headers: { upgrade: 'websocket', connection: 'Upgrade' },
  });
}

function credentials(request: Request, given: HeaderMap): HeaderMap {
  return spelledOut(given, new URLSearchParams(request.url.split('?')[1] ?? ''), 'realtime');
}
