/** Interactions of Gemini's API that a provider has stored: they are requested from it. */
import type { Handler, Hono } from 'hono';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { headerMap } from '../wire/headers.ts';
import { errorResponse } from './error.ts';
import { withQueryKey } from './gemini.ts';
import { askElsewhere } from './responses/elsewhere.ts';
import { NotHere } from './responses/not-stored.ts';

/** @param path of the interactions, below which each has its id */
export function serveInteractions(app: Hono<ServerEnv>, path: string, context: ServerContext): void {
  const handle = stored(context);
  app.get(`${path}/:id`, handle);
  app.delete(`${path}/:id`, handle);
  app.post(`${path}/:id/cancel`, handle);
}

function stored(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    const id = context.newId();
    try {
      const request = c.req.raw;
      const headers = withQueryKey(headerMap(request.headers), request.url);
      const client = await context.auth.client(headers, 'gemini.interactions');
      if (context.draining())
        throw new ProxyError('shutting_down', 'Cannot accept the request: shutting down');
      const called = { id, request, headers, server: c.env?.server, client, body: undefined };
      return await askElsewhere(context, called, new NotHere('interactions', c.req.param('id') ?? ''));
    } catch (thrown) {
      return errorResponse(toProxyError(thrown), { id, attempts: [], endpoint: 'gemini.interactions' });
    }
  };
}
