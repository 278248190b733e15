import type { Context, Handler } from 'hono';
import { z } from 'zod';
import { ProxyError } from '../errors.ts';
import { listLogs } from '../logs/names.ts';
import { InputError } from '../logs/problem.ts';
import { momentFrom, momentUntil } from '../config/moment.ts';
import { isTimeZone } from '../config/time-zone.ts';
import { facetsOf, UsageError } from '../usage/options.ts';
import type { UsageOptions } from '../usage/options.ts';
import { headerMap } from '../wire/headers.ts';
import type { ServerContext, ServerEnv } from './context.ts';

const MAX_TEXT = 200;
/** The default number of rows. */
const TOP = 1_000;

const text = z.string().min(1).max(MAX_TEXT);

const question = z.strictObject({
  by: z.string().max(MAX_TEXT).default('model'),
  since: text.optional(),
  until: text.optional(),
  key: text.optional(),
  time_zone: text.refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC'),
  top: z.coerce.number().int().min(1).max(10_000).default(TOP),
  reprice: z.enum(['true', 'false']).default('false'),
});

type Question = z.output<typeof question>;

/**
 * GET /usage: what requests used and cost, from the request log. A key that may read the operational endpoints sees
 * everything, any other only its own requests.
 */
export function usage(context: ServerContext): Handler<ServerEnv> {
  return async (c) => {
    const headers = headerMap(c.req.raw.headers);
    const operates = context.auth.operates(headers);
    const own = operates ? null : (await context.auth.client(headers, null)).key;
    if (context.log() === null)
      throw new ProxyError(
        'unavailable',
        'Cannot read the usage: the request log is off (logging.requests.enabled)',
      );
    const wanted = questionOf(c);
    if (!operates && wanted.key !== undefined && wanted.key !== own)
      throw new ProxyError(
        'not_permitted',
        'Cannot show the usage of another key: this key may see its own (ops: true in auth.keys allows all)',
      );
    const key = operates ? wanted.key : (own ?? undefined);
    const inputs = (await listLogs(context.logDirectory)).length > 0 ? [context.logDirectory] : [];
    const options = { ...optionsOf(wanted, key, context), inputs };
    const report = await read(context, JSON.stringify({ ...wanted, key }), options);
    return c.json(report, 200, { 'cache-control': 'no-store' });
  };
}

function questionOf(c: Context<ServerEnv>): Question {
  const parsed = question.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join('.') || (issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined);
  throw refused(name, issue?.message ?? 'it makes no sense');
}

function optionsOf(
  wanted: Question,
  key: string | undefined,
  context: ServerContext,
): Omit<UsageOptions, 'inputs'> {
  const { by, since, until, time_zone: timeZone, top, reprice } = wanted;
  const when = { nowMs: context.clock.now(), timeZone };
  const fromMs = since === undefined ? undefined : momentFrom(since, when);
  const untilMs = until === undefined ? undefined : momentUntil(until, when);
  if (Number.isNaN(fromMs)) throw refused('since', MOMENT);
  if (Number.isNaN(untilMs)) throw refused('until', MOMENT);
  if (fromMs !== undefined && untilMs !== undefined && fromMs > untilMs)
    throw refused('since', 'it is after "until"');
  return {
    by: facets(by),
    timeZone,
    top,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(key === undefined ? {} : { key }),
    ...(reprice === 'true' ? { prices: context.priceSetup() } : {}),
  };
}

const MOMENT =
  'expected a day such as 2026-11-23, a month, an ISO time, a span such as 24h, today or yesterday';

function facets(by: string): string[] {
  try {
    return facetsOf(by);
  } catch (error) {
    if (error instanceof UsageError) throw new ProxyError('invalid_request', error.message, { param: 'by' });
    throw error;
  }
}

async function read(context: ServerContext, wanted: string, options: UsageOptions) {
  try {
    return await context.usage.ask(wanted, options);
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    // File paths are not for callers.
    context.problem(`Cannot read the usage: ${cause.message}`);
    throw new ProxyError('unavailable', 'Cannot read the usage: the request log cannot be read', {
      cause,
    });
  }
}

function refused(name: string | undefined, why: string): ProxyError {
  const what = name === undefined ? 'the question' : `"${name}"`;
  const options = name === undefined ? {} : { param: name };
  return new ProxyError('invalid_request', `Cannot read the usage: ${what}: ${why}`, options);
}
