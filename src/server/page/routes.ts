/**
 * The page's requests. Everything but its files, and signing in, requires a key that may read the operational
 * endpoints.
 */
import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { HeaderMap } from '../../wire/headers.ts';
import type { ServerContext, ServerEnv } from '../context.ts';
import { ProxyError, statusOf, toProxyError } from '../../errors.ts';
import { headerMap } from '../../wire/headers.ts';
import { matcher } from '../../web/filter/matches.ts';
import { parseFilter } from '../../web/filter/parse.ts';
import { Access } from './access.ts';
import { effectiveConfig } from './effective-config.ts';
import { loadAssets } from './assets.ts';
import { ownPagesOnly, SAFE_HEADERS } from './guard.ts';
import { serveHistory } from './history/routes.ts';
import { liveStream } from './live.ts';
import { servePlayground } from './playground.ts';
import { providers } from './providers.ts';

/** @param base the path below which all of it is, without `/page` */
export function pageRoutes(context: ServerContext, base: string): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>({ getPath: (request) => pathOf(request).slice(base.length) });
  const access = new Access(context, `${base}/page`);
  app.use(safely);
  app.get(
    '/page/files/:name',
    async (c) => await file(c.req.param('name'), c.req.header('accept-encoding') ?? ''),
  );
  app.use(async (c, next) => {
    ownPagesOnly(c.req.method, headersOf(c));
    await next();
  });
  app.get('/page/session', (c) => c.json(access.session(headersOf(c))));
  app.post('/page/session', async (c) => {
    const cookie = await access.signIn(c.req.raw, headersOf(c));
    return c.body(null, 204, { 'set-cookie': cookie });
  });
  app.delete('/page/session', (c) => c.body(null, 204, { 'set-cookie': access.signOut(headersOf(c)) }));
  app.use(async (c, next) => {
    access.reader(headersOf(c));
    await next();
  });
  app.get('/page/live', (c) => live(c, context, access));
  app.get('/page/providers', async (c) => c.json(await providers(context)));
  app.get('/page/config', async (c) => c.json(await effectiveConfig(context)));
  serveHistory(app, context, access);
  servePlayground(app, context, access);
  app.notFound((c) =>
    refused(new ProxyError('unknown_route', `Cannot show ${c.req.path}: there is nothing`)),
  );
  app.onError((thrown) => refused(toProxyError(thrown)));
  return app;
}

/** Without a Host header, as in HTTP/1.0, the URL of a request is the path alone. */
function pathOf({ url }: Request): string {
  return new URL(url, 'http://localhost').pathname;
}

function live(c: Context<ServerEnv>, context: ServerContext, access: Access): Response {
  // A stream that begins while the proxy stops would delay it.
  if (context.draining()) throw new ProxyError('shutting_down', 'Cannot show live requests: shutting down');
  const headers = headersOf(c);
  const { watch } = context.page;
  const matches = matcher(parseFilter(c.req.query('filter') ?? ''));
  const watcher = watch.begin((row) => matches({ ...row }));
  const body = liveStream(watcher, {
    clock: context.clock,
    inFlight: () => watch.inFlight,
    running: () => watch.running,
    allowed: () => access.mayRead(headers),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } });
}

async function file(name: string, accepted: string): Promise<Response> {
  const found = (await loadAssets()).files.get(name);
  if (!found) throw new ProxyError('unknown_route', 'Cannot show the file: there is no such file');
  const packed = /\bgzip\b/i.test(accepted);
  return new Response(packed ? found.gzip() : found.bytes, {
    headers: {
      'content-type': found.type,
      // Its name contains a hash of its content.
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(packed ? { 'content-encoding': 'gzip' } : {}),
    },
  });
}

/** Adds security headers; responses are not cached unless they say otherwise. */
const safely: MiddlewareHandler<ServerEnv> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(SAFE_HEADERS)) c.res.headers.set(name, value);
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
};

export function refused(error: ProxyError): Response {
  const { message, fault } = error;
  return Response.json({ error: { message, code: fault } }, { status: statusOf(error) });
}

function headersOf(c: Context<ServerEnv>): HeaderMap {
  return headerMap(c.req.raw.headers);
}
