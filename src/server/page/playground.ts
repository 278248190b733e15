/** The playground's requests to models, in the name of the signed-in key. */
import type { Hono } from 'hono';
import type { ServerContext, ServerEnv } from '../context.ts';
import type { Access } from './access.ts';
import { headerMap } from '../../wire/headers.ts';
import { inference } from '../inference.ts';

export function servePlayground(app: Hono<ServerEnv>, context: ServerContext, access: Access): void {
  app.get('/page/models', async (c) => {
    const client = await access.client(headerMap(c.req.raw.headers));
    return c.json({ models: context.registry.names(client.access).map(({ id }) => id) });
  });
  const chat = inference(context, 'chat', (headers) => access.client(headers));
  app.post('/page/chat', (c) => chat(c.req.raw, headerMap(c.req.raw.headers), c.env));
}
