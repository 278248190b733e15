/** Limits on what callers may use, and the groups that share them. Amounts of money are USD. */
import { z } from 'zod';
import { price } from './price-schema.ts';
import { isTimeZone } from './time-zone.ts';
import { count, globs, name, share, text } from './words.ts';

/** Windows of time, shortest first. `total` never ends. */
export const PERIODS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'total'] as const;

const timeZone = text.refine(isTimeZone, 'expected a time zone such as Europe/Berlin');

const KINDS = ['requests', 'tokens', 'budget', 'concurrent'] as const;

const fields = {
  requests: count.optional().describe('Requests in a window.'),
  tokens: count.optional().describe('Tokens in a window.'),
  budget: z.number().nonnegative().optional().describe('USD in a window, by the price table.'),
  concurrent: count.optional().describe('Requests at once. It has no window.'),
  per: z.enum(PERIODS).optional().describe('Length of the window; `total` never ends.'),
  count: z.enum(['both', 'input', 'output']).default('both').describe('Which tokens count against `tokens`.'),
  window: z
    .enum(['calendar', 'rolling'])
    .optional()
    .describe(
      'calendar: begins with the second, minute, hour, day, week (on Monday) or month of `time_zone`. rolling: looks back from now, and moves in sixty steps. Default: rolling up to an hour, calendar for longer ones.',
    ),
  time_zone: timeZone
    .optional()
    .describe('Where calendar windows begin, such as Europe/Berlin. Default: UTC.'),
  models: globs
    .optional()
    .describe(
      'Globs of models to which it applies: names that clients ask for, names of providers, or "provider/model". All when left out.',
    ),
  endpoints: globs
    .optional()
    .describe('Globs of endpoints to which it applies, such as chat or "images.*". All when left out.'),
  when_used_up: z
    .union([z.literal('refuse'), z.strictObject({ use: text.describe('The model or route to use.') })], {
      error: 'expected refuse, or {use: MODEL}',
    })
    .default('refuse')
    .describe(
      'What follows when it is used up: a 429, or another model answers. That one is still counted here, but no longer refused.',
    ),
  warn_at: share
    .optional()
    .describe(
      'Share from which it warns, such as 80%: one line on stderr a window, the header x-llmproxy-warning, a metric.',
    ),
  hard: z
    .boolean()
    .default(false)
    .describe('Cut a stream that uses more than is left. Otherwise it may finish, and the next is refused.'),
};

type Limited = { readonly per?: unknown; readonly window?: unknown; readonly time_zone?: unknown } & {
  readonly [kind in (typeof KINDS)[number]]?: number | undefined;
};

/** What is wrong with a limit that has the right fields. */
function flawOf(limit: Limited): string | undefined {
  const kinds = KINDS.filter((kind) => limit[kind] !== undefined);
  if (kinds.length !== 1) return `expected one of ${KINDS.join(', ')}`;
  if (kinds[0] === 'concurrent') return limit.per === undefined ? undefined : '`concurrent` takes no `per`';
  if (limit.per === undefined) return `\`${kinds[0]}\` needs \`per\`: ${PERIODS.join(', ')}`;
  const calendar = limit.window !== 'rolling' && limit.per !== 'total';
  if (limit.time_zone !== undefined && !calendar) return '`time_zone` belongs to calendar windows';
  return undefined;
}

function sound(limit: Limited, context: z.RefinementCtx): void {
  const message = flawOf(limit);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

export const limit = z
  .strictObject(fields)
  .superRefine(sound)
  .describe('A limit: one of requests, tokens, budget or concurrent, and the window it holds in.');

const limits = z.array(limit);

/** By what a limit for everybody is counted apart. */
export const APART = ['key', 'group', 'user', 'address', 'model', 'endpoint'] as const;

const apart = z.enum(APART);

export const rateLimit = z
  .strictObject({
    ...fields,
    each: z
      .union([apart, z.array(apart)], { error: `expected ${APART.join(', ')}, or a list of them` })
      .transform((value) => [value].flat())
      .optional()
      .describe(
        'Counted apart for each key, group, end user that the client names, address, model or endpoint. For all together when left out.',
      ),
  })
  .superRefine(sound);

export const unpriced = z
  .union([z.enum(['allow', 'refuse']), price], {
    error: 'expected allow, refuse, or a price {input, output}',
  })
  .describe(
    'Requests for models without a known price, where a budget applies: allow counts them as free, refuse answers 403, a price counts them by it.',
  );

export const group = z.strictObject({
  parent: name.optional().describe('The group whose limits and lists hold too.'),
  models: globs.optional().describe('Globs of models that its keys may ask for. Empty: none.'),
  endpoints: globs.optional().describe('Globs of endpoints that its keys may use. Empty: none.'),
  providers: globs.optional().describe('Globs of providers that may answer its keys. Empty: none.'),
  limits: limits.default([]).describe('What all its keys, and the groups below, may use together.'),
  each_key: limits.default([]).describe('What each of its keys may use, those of groups below included.'),
  each_user: limits
    .default([])
    .describe('What each end user may use whom clients name (`user`, `metadata.user_id`).'),
  unpriced: unpriced.optional(),
});

export const ownLimits = limits;

export type LimitConfig = z.output<typeof limit>;
export type RateLimitConfig = z.output<typeof rateLimit>;
export type GroupConfig = z.output<typeof group>;
export type Period = (typeof PERIODS)[number];
export type Apart = (typeof APART)[number];
export type Unpriced = z.output<typeof unpriced>;
