import type { Handler } from 'hono';
import type { StoredAccount } from '../limits/accounts.ts';
import type { Client } from './client.ts';
import type { ServerContext, ServerEnv } from './context.ts';
import { UNITS_PER_USD } from '../limits/limit.ts';
import { guarded } from './guarded.ts';

/** GET /v1/key: what a caller may use, how much is left, and what it has used. Money is in USD. */
export function ownKey(context: ServerContext): Handler<ServerEnv> {
  return guarded(context, async (c, client) => {
    await context.limiter.refresh(client);
    return c.json(described(client, context), 200, { 'cache-control': 'no-store' });
  });
}

function described(client: Client, { limiter, spending }: ServerContext): object {
  const { key, group, models, endpoints, providers, labels } = client;
  return {
    object: 'key',
    name: key,
    group: group ?? null,
    models: models ?? null,
    endpoints: endpoints ?? null,
    providers: providers ?? null,
    labels,
    limits: limiter.standingsOf(client).map(({ limit, most, used, reserved, resetMs }) => {
      const amountOf = (amount: number) => (limit.kind === 'budget' ? amount / UNITS_PER_USD : amount);
      return {
        name: limit.name,
        kind: limit.kind,
        per: limit.per ?? null,
        limit: amountOf(most),
        used: amountOf(used),
        reserved: amountOf(reserved),
        remaining: amountOf(Math.max(0, most - used - reserved)),
        resets_at: used > 0 && Number.isFinite(resetMs) ? new Date(resetMs).toISOString() : null,
      };
    }),
    usage: key === null ? null : usageOf(spending.accountOf(key)),
  };
}

function usageOf({ requests, tokens, spent, monthRequests, monthSpent, usedMs }: StoredAccount): object {
  return {
    total: { requests, tokens, cost: spent / UNITS_PER_USD },
    month: { requests: monthRequests, cost: monthSpent / UNITS_PER_USD },
    last_used_at: usedMs === 0 ? null : new Date(usedMs).toISOString(),
  };
}
