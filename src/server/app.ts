import type { Context } from 'hono';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { ServerContext, ServerEnv } from './context.ts';
import { ProxyError, toProxyError } from '../errors.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from '../wire/endpoints.ts';
import { errorResponse } from './error.ts';
import { takeFeedback } from './feedback.ts';
import { inference } from './inference.ts';
import { getModel, listModels } from './models.ts';
import { speaking } from './speaking.ts';
import { health, live, metrics, providers, ready } from './ops.ts';

/** All routes on one page. Each is served with and without /v1, at the root and below `server.base_path`. */
export function createApp(context: ServerContext): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const { cors: allowed, base_path } = context.server;
  if (allowed) {
    const exposeHeaders = [
      'x-request-id',
      'x-llmproxy-provider',
      'x-llmproxy-model',
      'x-llmproxy-attempts',
      'x-llmproxy-cost',
    ];
    app.use(cors({ origin: allowed.origins, exposeHeaders }));
  }
  for (const base of new Set(['', base_path])) {
    for (const prefix of [`${base}/v1`, base]) {
      for (const name of ENDPOINT_NAMES) app.post(prefix + ENDPOINTS[name].path, inference(context, name));
      app.post(`${prefix}/feedback`, takeFeedback(context));
      app.get(`${prefix}/models`, listModels(context));
      app.get(`${prefix}/models/*`, getModel(context));
    }
    app.get(`${base}/health`, health(context));
    app.get(`${base}/health/live`, live);
    app.get(`${base}/health/ready`, ready(context));
    app.get(`${base}/providers`, providers(context));
    app.get(`${base}/metrics`, metrics(context));
  }
  const known = new Set(app.routes.map(({ path }) => path));
  const plain = ({ req }: Context, error: ProxyError) =>
    errorResponse(error, { id: context.newId(), attempts: [], endpoint: speaking(req.raw) });
  app.notFound((c) => {
    const { method, path } = c.req;
    return plain(
      c,
      known.has(path)
        ? new ProxyError('method_not_allowed', `Cannot ${method} ${path}: the method is not allowed here`)
        : new ProxyError('unknown_route', `Cannot ${method} ${path}: there is nothing at this path`),
    );
  });
  app.onError((thrown, c) => plain(c, toProxyError(thrown)));
  return app;
}
