import type { Context } from 'hono';
import { z } from 'zod';
import type { ServerEnv } from '../context.ts';
import type { PageOptions } from '../../stored/entries.ts';
import { ProxyError } from '../../errors.ts';

const query = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().max(200).optional(),
});

/** The requested part of a list. @throws ProxyError `invalid_request` naming the parameter */
export function pagingOf(c: Context<ServerEnv>): PageOptions {
  const parsed = query.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue?.path.join('.') ?? '';
  throw new ProxyError('invalid_request', `Cannot read ${param}: ${issue?.message ?? 'it makes no sense'}`, {
    param,
  });
}
