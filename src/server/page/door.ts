/** Where the page is in the routes. All behind it is loaded when a browser asks for it first. */
import type { Context, Hono } from 'hono';
import type { HeaderMap } from '../../wire/headers.ts';
import type { Config } from '../../config/schema.ts';
import type { ServerContext, ServerEnv } from '../context.ts';
import { isLoopback } from '../../config/references.ts';
import { headerMap } from '../../wire/headers.ts';

/** Serves the document at `/` to browsers. @param guard the check of each request, before anything of it is done */
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

/** Serves what the page asks for, below `/page`. */
export function servePage(app: Hono<ServerEnv>, context: ServerContext, base: string): void {
  if (!isShown(context)) return;
  let routes: Promise<Hono<ServerEnv>> | undefined;
  app.all(`${base}/page/*`, async (c: Context<ServerEnv>) => {
    routes ??= import('./routes.ts').then(({ pageRoutes }) => pageRoutes(context, base));
    return await (await routes).fetch(c.req.raw, c.env);
  });
}

/** Whether the configuration has the page: where nobody is told from another, only those on this machine may read it. */
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

/** Browsers ask for HTML by its name; other programs for anything, or for something else. */
function wantsHtml({ accept = '' }: HeaderMap): boolean {
  return /\btext\/html\b/i.test(accept);
}

/** The document holds nothing secret, and a page of another site may link to it. Whatever else that sends is refused. */
function asLink(headers: HeaderMap): HeaderMap {
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return isLink ? { ...headers, 'sec-fetch-site': 'none', origin: undefined } : headers;
}
