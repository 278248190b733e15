/** Limits on callers, and the groups that share them. Money is in USD. */
import { z } from 'zod';
import { endpointGlobs } from './endpoint-globs.ts';
import { price } from './prices.ts';
import { isTimeZone } from '../time-zone.ts';
import { count, globs, name, onDemand, share, text } from '../words.ts';

/** Windows of time, shortest first. `total` never ends. */
export const PERIODS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'total'] as const;

const timeZone = text.refine(isTimeZone, 'expected a time zone such as Europe/Berlin');

const KINDS = ['requests', 'tokens', 'budget', 'concurrent'] as const;

const fields = () => ({
  requests: count.optional().describe('Requests per window.'),
  tokens: count.optional().describe('Tokens per window.'),
  budget: z
    .number({ error: 'expected an amount of USD, such as 50' })
    .nonnegative()
    .optional()
    .describe('USD per window, by the price table.'),
  concurrent: count.optional().describe('Requests at once. It has no window.'),
  per: z.enum(PERIODS).optional().describe('Length of the window; `total` never ends.'),
  count: z.enum(['both', 'input', 'output']).default('both').describe('Which tokens count against `tokens`.'),
  window: z
    .enum(['calendar', 'rolling'])
    .optional()
    .describe(
      'calendar: starts with the second, minute, hour, day, week (on Monday) or month in `time_zone`. rolling: looks back from now and moves in sixty steps. Default: rolling up to an hour, calendar beyond.',
    ),
  time_zone: timeZone
    .optional()
    .describe('Time zone of calendar windows, such as Europe/Berlin. Default: UTC.'),
  models: globs
    .optional()
    .describe(
      'Globs of the models it applies to: requested names, provider names, or "provider/model". All if omitted.',
    ),
  endpoints: endpointGlobs
    .optional()
    .describe('Globs of the endpoints it applies to, such as chat or "images.*". All if omitted.'),
  when_used_up: z
    .union([z.literal('refuse'), z.strictObject({ use: text.describe('The model or route to use.') })], {
      error: 'expected refuse, or {use: MODEL}',
    })
    .default('refuse')
    .describe(
      'What to do when the limit is used up: refuse with a 429, or use another model. Requests for that model still count towards this limit, but are no longer refused by it.',
    ),
  warn_at: share
    .optional()
    .describe(
      'Share of the limit at which to warn, such as 80%: one line on stderr per window, the header x-llmproxy-warning, and a metric.',
    ),
  hard: z
    .boolean()
    .default(false)
    .describe(
      'Cut off a stream that uses more than is left. Otherwise it may finish, and the next request is refused.',
    ),
});

type Limited = {
  readonly per?: Period | undefined;
  readonly count: string;
  readonly window?: string | undefined;
  readonly time_zone?: string | undefined;
  readonly hard: boolean;
  readonly models?: readonly string[] | undefined;
  readonly endpoints?: readonly string[] | undefined;
} & {
  readonly [kind in (typeof KINDS)[number]]?: number | undefined;
};

/** The windows that are rolling unless the limit says otherwise. */
const ROLLING: ReadonlySet<unknown> = new Set<Period>(['second', 'minute', 'hour']);

/** Errors in a limit whose fields are valid by themselves: a setting without effect was meant to have one. */
function flawOf(limit: Limited): string | undefined {
  const kinds = KINDS.filter((kind) => limit[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined) return `expected one of ${KINDS.join(', ')}`;
  if (kinds.length > 1)
    return `${kinds.map((each) => `\`${each}\``).join(' and ')} are given together: write a limit for each`;
  const { per, window, time_zone: timeZone, models, endpoints } = limit;
  const empty = models?.length === 0 ? 'models' : endpoints?.length === 0 ? 'endpoints' : undefined;
  if (empty !== undefined) return `\`${empty}: []\` covers nothing: leave it out to cover all`;
  if (limit.count !== 'both' && kind !== 'tokens') return '`count` belongs to `tokens`';
  if (limit.hard && kind !== 'tokens' && kind !== 'budget')
    return `\`hard\` belongs to \`tokens\` and \`budget\`: \`${kind}\` never cuts off a stream`;
  if (kind === 'concurrent') {
    const [odd] =
      Object.entries({ per, window, time_zone: timeZone }).find(([, value]) => value !== undefined) ?? [];
    return odd === undefined ? undefined : `\`concurrent\` has no \`${odd}\``;
  }
  if (per === undefined) return `\`${kind}\` needs \`per\`: ${PERIODS.join(', ')}`;
  if (per === 'total' && window !== undefined) return '`total` never ends, and has no `window`';
  const calendar = per !== 'total' && (window === undefined ? !ROLLING.has(per) : window === 'calendar');
  if (timeZone === undefined || calendar) return undefined;
  return (
    '`time_zone` belongs to calendar windows' +
    (window === undefined && per !== 'total' ? ': add `window: calendar`' : '')
  );
}

function sound(limit: Limited, context: z.RefinementCtx): void {
  const message = flawOf(limit);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

export const limit = onDemand(() =>
  z
    .strictObject(fields())
    .superRefine(sound)
    .describe('A limit: one of requests, tokens, budget or concurrent, and the window it applies to.'),
);

const limits = z.array(limit);

/** The criterion by which a limit for everybody is counted separately. */
export const APART = ['key', 'group', 'user', 'address', 'model', 'endpoint'] as const;

const apart = z.enum(APART);

export const rateLimit = onDemand(() =>
  z
    .strictObject({
      ...fields(),
      each: z
        .union([apart, z.array(apart)], { error: `expected ${APART.join(', ')}, or a list of them` })
        .transform((value) => [value].flat())
        .optional()
        .describe(
          'Count separately for each key, group, end user (as the client names it), address, model or endpoint. If omitted, all count together.',
        ),
    })
    .superRefine(sound),
);

export const unpriced = onDemand(() =>
  z
    .union([z.enum(['allow', 'refuse']), price], {
      error: 'expected allow, refuse, or a price {input, output}',
    })
    .describe(
      'How requests for models without a known price count where a budget applies. allow: as free. refuse: not at all; they get a 403. A price: at that price.',
    ),
);

export const group = onDemand(() =>
  z.strictObject({
    parent: name.optional().describe('Parent group, whose limits and allow lists also apply.'),
    models: globs.optional().describe('Globs of the models its keys may request. An empty list allows none.'),
    endpoints: endpointGlobs
      .optional()
      .describe('Globs of the endpoints its keys may use. An empty list allows none.'),
    providers: globs
      .optional()
      .describe('Globs of the providers that may serve its keys. An empty list allows none.'),
    limits: limits.default([]).describe('Limits that all its keys and its subgroups share.'),
    each_key: limits.default([]).describe('Limits of each of its keys, including the keys of subgroups.'),
    each_user: limits
      .default([])
      .describe('Limits of each end user, as named by clients (`user`, `metadata.user_id`).'),
    unpriced: unpriced.optional(),
  }),
);

export const ownLimits = limits;

export type LimitConfig = z.output<typeof limit>;
export type RateLimitConfig = z.output<typeof rateLimit>;
export type GroupConfig = z.output<typeof group>;
export type Period = (typeof PERIODS)[number];
export type Apart = (typeof APART)[number];
export type Unpriced = z.output<typeof unpriced>;
