import type { Context, Handler } from 'hono';
import type { Client } from './client.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError } from '../errors.ts';
import { headerMap } from '../wire/headers.ts';
import { errorResponse } from './error.ts';
import { withQueryKey } from './gemini.ts';
import { clientProtocol } from './client-protocol.ts';

/** A page for callers with a key; for everybody if there are no keys. */
export function guarded(
  context: ServerContext,
  handler: (c: Context<ServerEnv>, client: Client) => Response | Promise<Response>,
): Handler<ServerEnv> {
  return async (c) => {
    try {
      const headers = headerMap(c.req.raw.headers);
      const shown = inQuery(c.req.raw) ? withQueryKey(headers, c.req.url) : headers;
      return await handler(c, await context.auth.client(shown, null));
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      return errorResponse(thrown, {
        id: context.newId(),
        attempts: [],
        endpoint: clientProtocol(c.req.raw),
      });
    }
  };
}

/** Google's clients send their key in the query when they list models; the query is ignored elsewhere. */
function inQuery(request: Request): boolean {
  return /\/models(?:[/?]|$)/.test(request.url) && clientProtocol(request) === 'gemini';
}
