/** The routes of the page. Everything behind them is loaded when a browser first requests it. */
import type { Context, Hono } from 'hono';
import type { HeaderMap } from '../../wire/headers.ts';
import type { Config } from '../../config/schema.ts';
import type { ServerContext, ServerEnv } from '../context.ts';
import { isLoopback } from '../../config/references.ts';
import { headerMap } from '../../wire/headers.ts';

/** Serves the document at `/` to browsers. @param guard the check of each request before it is handled */
export function serveDocument(
  app: Hono<ServerEnv>,
  context: ServerContext,
  { base, guard }: { base: string; guard: (headers: HeaderMap) => void },
): void {
  if (context.server.page === 'off') return;
  const paths = base === '' ? ['/'] : [base, `${base}/`];
  app.on('GET', paths, async (c, next) => {
    const headers = headerMap(c.req.raw.headers);
    if (!wantsHtml(headers)) return await next();
    guard(asLink(headers));
    const { documentFor } = await import('./document.ts');
    return await documentFor(base, isShown(context));
  });
}

/** Serves the requests of the page, below `/page`. */
export function servePage(app: Hono<ServerEnv>, context: ServerContext, base: string): void {
  if (!isShown(context)) return;
  let routes: Promise<Hono<ServerEnv>> | undefined;
  app.all(`${base}/page/*`, async (c: Context<ServerEnv>) => {
    routes ??= import('./routes.ts').then(({ pageRoutes }) => pageRoutes(context, base));
    return await (await routes).fetch(c.req.raw, c.env);
  });
}

/** Whether the page is enabled: if callers need no keys, only those on this machine may read it. */
export function isShown({
  server,
  auth,
}: {
  readonly server: Pick<Config['server'], 'page' | 'host' | 'hosts'>;
  readonly auth: { readonly open: boolean };
}): boolean {
  if (server.page !== 'auto') return server.page === 'on';
  return !auth.open || (isLoopback(server.host) && server.hosts.length === 0);
}

/** Browsers accept HTML explicitly; other programs accept anything, or something else. */
function wantsHtml({ accept = '' }: HeaderMap): boolean {
  return /\btext\/html\b/i.test(accept);
}

/**
 * The document contains nothing secret, and other sites may link to it. All other cross-origin requests are refused.
 */
function asLink(headers: HeaderMap): HeaderMap {
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isLink ? { ...headers, 'sec-fetch-site': 'none', origin: undefined } : headers;
}
