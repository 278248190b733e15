import type { Hono } from 'hono';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ServerContext } from '../../src/server/context.ts';
import { schema } from '../../src/config/schema.ts';
import { createApp } from '../../src/server/app.ts';

/** All routes that app.ts registers, as Hono lists them. Registering them uses no other part of the context. */
export function routes(config: ConfigInput): { readonly method: string; readonly path: string }[] {
  const { server } = schema.parse({ ...config, server: { cors: { origins: ['*'] } } });
  const app = createApp({ server, auth: { open: false } } as unknown as ServerContext) as unknown as Hono;
  return app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => ({ method, path }));
}
