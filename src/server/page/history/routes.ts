/** The page's requests about finished requests. */
import type { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import type { ServerContext, ServerEnv } from '../../context.ts';
import type { RequestDetail } from '../../../web/api.ts';
import type { HeaderMap } from '../../../wire/headers.ts';
import type { Access } from '../access.ts';
import { ProxyError } from '../../../errors.ts';
import { headerMap } from '../../../wire/headers.ts';
import { NO_CONTENT } from '../access.ts';
import { MAX_FILTER } from '../../../web/filter/parse.ts';
import { GROUPED_BY } from './jobs.ts';

/** The page size for requests. */
const MOST = 100;

/** The periods of charts, and their steps: an hour by minutes, up to a month by days. */
const SPANS = {
  '1h': [3_600_000, 60_000],
  '24h': [86_400_000, 1_800_000],
  '7d': [604_800_000, 10_800_000],
  '30d': [2_592_000_000, 86_400_000],
} as const;

const filter = z.string().max(MAX_FILTER).default('');

const queries = {
  requests: z.strictObject({ filter, before: z.coerce.number().optional() }),
  series: z.strictObject({
    filter,
    by: z.enum(GROUPED_BY).default('model'),
    span: z.enum(Object.keys(SPANS) as (keyof typeof SPANS)[]).default('24h'),
  }),
  preview: z.strictObject({
    filter,
    format: z.string().max(40).default('openai'),
    successful: z.enum(['true', 'false']).default('true'),
    redact: z.enum(['true', 'false']).default('false'),
  }),
} as const;

export function serveHistory(app: Hono<ServerEnv>, context: ServerContext, access: Access): void {
  const { history } = context.page;
  const directory = () => {
    if (context.log() !== null) return context.logDirectory;
    throw new ProxyError(
      'unavailable',
      'Cannot show history: the request log is off (logging.requests.enabled)',
    );
  };
  app.get('/page/requests', async (c) => {
    const { filter, before = null } = parsed(c, queries.requests);
    return c.json(
      await history.ask(
        { kind: 'requests', directory: directory(), filter, most: MOST, before },
        c.req.raw.signal,
      ),
    );
  });
  app.get('/page/requests/:id', async (c) => {
    const found = await history.ask(
      { kind: 'detail', directory: directory(), id: c.req.param('id') },
      c.req.raw.signal,
    );
    if (!found) throw none();
    return c.json(access.mayReadContent(headersOf(c)) ? found : withoutContent(found));
  });
  app.get('/page/requests/:id/:part{request|response}', async (c) => {
    access.contentReader(headersOf(c));
    const { id, part } = c.req.param();
    const job = {
      kind: 'raw',
      directory: directory(),
      id,
      part: part === 'request' ? part : 'response',
    } as const;
    const body = await history.ask(job, c.req.raw.signal);
    if (!body) throw none();
    // As text, so that browsers do not interpret it.
    return c.body(body, 200, { 'content-type': 'text/plain; charset=utf-8' });
  });
  app.get('/page/series', async (c) => {
    const { filter, by, span } = parsed(c, queries.series);
    const [spanMs, stepMs] = SPANS[span];
    return c.json(
      await history.ask(
        { kind: 'series', directory: directory(), filter, by, spanMs, stepMs },
        c.req.raw.signal,
      ),
    );
  });
  app.get('/page/preview', async (c) => {
    access.contentReader(headersOf(c));
    const { filter, format, successful, redact } = parsed(c, queries.preview);
    const choice = { format, successfulOnly: successful === 'true', redact: redact === 'true' };
    return c.json(
      await history.ask({ kind: 'preview', directory: directory(), filter, ...choice }, c.req.raw.signal),
    );
  });
}

function parsed<Shape extends z.ZodType>(c: Context<ServerEnv>, shape: Shape): z.output<Shape> {
  const question = shape.safeParse(c.req.query());
  if (question.success) return question.data;
  const [issue] = question.error.issues;
  throw new ProxyError('invalid_request', `Cannot show this: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** The facts about a request without its content; error messages may quote some of it. */
function withoutContent(detail: RequestDetail): RequestDetail {
  return {
    ...detail,
    error: null,
    said: null,
    unsaid: sentence(NO_CONTENT),
    tools: [],
    feedback: detail.feedback.map((each) => ({ ...each, comment: null, correction: null })),
    raw: { request: false, response: false },
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function headersOf(c: Context<ServerEnv>): HeaderMap {
  return headerMap(c.req.raw.headers);
}

function none(): ProxyError {
  return new ProxyError('unknown_route', 'Cannot show the request: the log has no request with this ID');
}
