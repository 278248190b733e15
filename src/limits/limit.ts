import type { Apart, LimitConfig, RateLimitConfig, Unpriced } from '../config/schema/groups.ts';
import type { Window } from './window.ts';
import { foldedName, globMatcher, isGlob } from '../config/globs.ts';
import { canonicalZone } from '../config/time-zone.ts';
import { rolls, windowOf } from './window.ts';

export type LimitKind = 'requests' | 'tokens' | 'budget' | 'concurrent';

/** Budgets are counted in integer units, so that sums are exact: with as many digits as costs are rounded to. */
export const UNITS_PER_USD = 1e10;

/** The owner of a limit, and how it is counted separately. */
export interface Owner {
  /** A name for people, such as "group acme" or "key alice". */
  readonly name: string;
  readonly apart: readonly Apart[];
}

/** A configured limit. */
export interface Limit {
  /** Identifies it regardless of its amount: usage is kept when the amount changes. */
  readonly id: string;
  /** Its name in errors, such as "budget of group acme: 50 USD a month". */
  readonly name: string;
  readonly kind: LimitKind;
  /** Which tokens are counted. */
  readonly count: 'both' | 'input' | 'output';
  /** The amount, in requests, tokens or units of money. */
  readonly most: number;
  /** `undefined` for limits on concurrency. */
  readonly window: Window | undefined;
  readonly per: LimitConfig['per'];
  readonly owner: Owner;
  readonly allModels: boolean;
  readonly allEndpoints: boolean;
  readonly coversModel: (name: string) => boolean;
  readonly coversEndpoint: (name: string) => boolean;
  /** The model that answers when it is used up; `undefined` if requests are refused. */
  readonly use: string | undefined;
  /** The share above which callers and the operator are warned. */
  readonly warnAt: number | undefined;
  /** Whether a stream is cut off when it exceeds the limit. */
  readonly hard: boolean;
}

/** Creates the limits of one owner. Two that differ only in their amount get ids of their own. */
export function limitsOf(configs: readonly (LimitConfig | RateLimitConfig)[], owner: Owner): Limit[] {
  const seen = new Map<string, number>();
  return configs.map((config) => {
    const apart = 'each' in config && config.each ? config.each : owner.apart;
    const id = idOf(config, owner, apart);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    return limitOf(config, { ...owner, apart }, times === 1 ? id : `${id}#${times}`);
  });
}

function limitOf(config: LimitConfig, owner: Owner, id: string): Limit {
  const kind = kindOf(config);
  const amount = config[kind]!;
  const { models, endpoints, when_used_up: then, per } = config;
  return {
    id,
    name: `${shownAmount(config, kind)} of ${owner.name}`,
    kind,
    count: config.count,
    most: kind === 'budget' ? Math.round(amount * UNITS_PER_USD) : amount,
    window: kind === 'concurrent' ? undefined : windowOf(config),
    per,
    owner,
    allModels: models === undefined,
    allEndpoints: endpoints === undefined,
    coversModel: coversModels(models),
    coversEndpoint: covers(endpoints),
    use: then === 'refuse' ? undefined : then.use,
    warnAt: config.warn_at,
    hard: config.hard,
  };
}

export function kindOf(config: LimitConfig): LimitKind {
  if (config.requests !== undefined) return 'requests';
  if (config.tokens !== undefined) return 'tokens';
  return config.budget === undefined ? 'concurrent' : 'budget';
}

function idOf(config: LimitConfig, owner: Owner, apart: readonly Apart[]): string {
  const { count, per, time_zone: zone = 'UTC', models, endpoints } = config;
  const hasCalendar = per !== undefined && per !== 'total' && !rolls(config);
  const words = [
    owner.name,
    kindOf(config),
    count === 'both' ? '' : count,
    per,
    // Writing out a default does not make it another limit.
    hasCalendar ? `calendar ${canonicalZone(zone)}` : '',
    apart.length > 0 ? `each ${sorted(apart)}` : '',
    models ? `models ${sorted(models)}` : '',
    endpoints ? `endpoints ${sorted(endpoints)}` : '',
  ];
  return words.filter(Boolean).join(' | ');
}

/** The order of a list makes no difference, nor does a repeated entry. */
function sorted(list: readonly string[]): string {
  return [...new Set(list)].sort().join(' ');
}

/** The limit in words: "50 USD per month", "200000 input tokens per minute", "20 concurrent requests". */
function shownAmount(config: LimitConfig, kind: LimitKind): string {
  const amount = config[kind]!;
  if (kind === 'concurrent') return `${amount} concurrent requests`;
  const tokens = config.count === 'both' ? 'tokens' : `${config.count} tokens`;
  const what = { requests: 'requests', tokens, budget: 'USD' }[kind];
  const time = config.per === 'total' ? 'in total' : `per ${config.per}`;
  const only = [...(config.models ?? []), ...(config.endpoints ?? [])].join(', ');
  return `${amount} ${what} ${time}${only === '' ? '' : ` for ${only}`}`;
}

function coversModels(patterns: readonly string[] | undefined): (name: string) => boolean {
  const fits = covers(patterns?.map(foldedName));
  return (name) => fits(foldedName(name));
}

function covers(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (!patterns) return () => true;
  const tests = patterns.map((pattern) =>
    isGlob(pattern) ? globMatcher(pattern) : (name: string) => name === pattern,
  );
  return (name) => tests.some((test) => test(name));
}

/** An amount of USD in integer units, rounded up: no less is charged than was spent. */
export function unitsOf(usd: number): number {
  return Math.max(0, Math.ceil(usd * UNITS_PER_USD - ROUNDING));
}

/** The rounding error of binary fractions. */
const ROUNDING = 1e-3;

/** The tokens that count against a limit. */
export function tokensOf(
  { count }: Limit,
  { input, output }: { readonly input: number; readonly output: number },
): number {
  return (count === 'output' ? 0 : input) + (count === 'input' ? 0 : output);
}

/** USD for tokens of a model without a price of its own. */
export function priceOf(unpriced: Unpriced, inputTokens: number, outputTokens: number): number {
  if (typeof unpriced === 'string') return 0;
  const { input = 0, output = 0, request = 0 } = unpriced;
  return request + (inputTokens * input + outputTokens * output) / 1e6;
}
