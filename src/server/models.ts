import type { Handler } from 'hono';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError } from '../errors.ts';
import { errorResponse } from './error.ts';

/** GET /v1/models: what can be asked for, in OpenAI's shape. */
export function listModels(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, (c) => {
    const data = context.registry.names().map(({ id, ownedBy }) => modelObject(id, ownedBy));
    return c.json({ object: 'list', data });
  });
}

/** GET /v1/models/{id}: names with slashes too, and names that only a glob covers. */
export function getModel(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, (c) => {
    const id = decodeURIComponent(c.req.path.slice(c.req.path.indexOf('/models/') + '/models/'.length));
    return c.json(modelObject(id, context.registry.find(id).provider.name));
  });
}

function modelObject(id: string, ownedBy: string): object {
  return { id, object: 'model', created: 0, owned_by: ownedBy };
}

function guarded(context: ServerContext, handler: Handler<ServerEnv>): Handler<ServerEnv> {
  return async (c, next) => {
    try {
      context.auth.client(c.req.raw.headers);
      return await handler(c, next);
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      return errorResponse(thrown, { id: context.newId(), attempts: [] });
    }
  };
}
