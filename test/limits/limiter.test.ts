/** Tests limits against a model, with generated configurations and histories. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Caller } from '../../src/limits/caller.ts';
import type { Ledger } from '../../src/limits/ledger.ts';
import type { Limit } from '../../src/limits/limit.ts';
import type { Lease } from '../../src/limits/lease.ts';
import type { Apart, LimitConfig } from '../../src/config/schema/groups.ts';
import type { Config, ConfigInput } from '../../src/config/schema.ts';
import type { Held, Use } from './admission-model.ts';
import { schema } from '../../src/config/schema.ts';
import { ProxyError } from '../../src/errors.ts';
import { UNITS_PER_USD } from '../../src/limits/limit.ts';
import { Limiter } from '../../src/limits/limiter.ts';
import { MemoryLedger } from '../../src/limits/memory-ledger.ts';
import { windowOf } from '../../src/limits/window.ts';
import { Book, expectedOf, unitsFor } from './admission-model.ts';
import { cleanUp, directory, shared } from './shared-ledgers.ts';

const MODELS = ['opus', 'cheap', 'other'];
const PRICE = { input: 3, output: 7 };

/** A possible limit: low enough to be reached in histories of a few dozen steps. */
const limits = fc
  .record({
    kind: fc.constantFrom('requests', 'tokens', 'budget', 'concurrent'),
    amount: fc.nat(40),
    per: fc.constantFrom('second', 'minute', 'hour', 'day', 'week', 'month', 'total'),
    window: fc.constantFrom(undefined, 'calendar', 'rolling'),
    zone: fc.constantFrom(undefined, 'Europe/Berlin', 'Asia/Kolkata', 'America/Santiago', 'Pacific/Chatham'),
    count: fc.constantFrom('both', 'input', 'output'),
    models: fc.constantFrom(undefined, undefined, ['opus'], ['o*'], ['one/opus']),
    endpoints: fc.constantFrom(undefined, undefined, ['chat'], ['embeddings']),
    hard: fc.boolean(),
    use: fc.constantFrom(undefined, undefined, { use: 'cheap' }),
  })
  .map(({ kind, amount, per, window, zone, count, models, endpoints, hard, use }) => {
    const most = {
      requests: Math.ceil(amount / 8),
      tokens: amount,
      budget: (amount * 5) / UNITS_PER_USD,
      concurrent: Math.ceil(amount / 12),
    };
    const calendar =
      window === 'calendar' || (window === undefined && ['day', 'week', 'month'].includes(per));
    const timed =
      kind === 'concurrent'
        ? {}
        : per === 'total'
          ? { per }
          : { per, window, ...(calendar ? { time_zone: zone } : {}) };
    return {
      [kind]: most[kind as keyof typeof most],
      ...timed,
      ...(kind === 'tokens' ? { count } : {}),
      models,
      endpoints,
      hard: hard && (kind === 'tokens' || kind === 'budget'),
      when_used_up: use,
    };
  });
const few = fc.array(limits, { maxLength: 2 });
const apart = fc.constantFrom(
  undefined,
  ['key'],
  ['user'],
  ['address'],
  ['model'],
  ['key', 'endpoint'],
  ['group'],
);

const configs = fc
  .record({
    own: few,
    raise: fc.record({
      kind: fc.constantFrom('requests', 'tokens', 'budget', 'concurrent'),
      by: fc.nat(9),
      hours: fc.nat(48),
    }),
    child: fc.record({ limits: few, each_key: few, each_user: few }),
    root: fc.record({ limits: few, each_key: few }),
    everybody: fc.array(fc.tuple(limits, apart), { maxLength: 2 }),
  })
  .map(({ own, raise, child, root, everybody }) => ({
    raise,
    parsed: schema.parse({
      providers: [{ name: 'one', type: 'openai-compatible', base_url: 'http://127.0.0.1:1', models: ['*'] }],
      groups: { root, child: { parent: 'root', ...child } },
      rate_limits: everybody.map(([limit, each]) => ({ ...limit, each })),
      auth: {
        keys: [
          { name: 'a', key: 'a', group: 'child', limits: own },
          { name: 'b', key: 'b', group: 'child' },
          { name: 'c', key: 'c', group: 'root' },
        ],
      },
    } as unknown as ConfigInput),
  }));

const asks = fc.record({
  step: fc.constant('ask' as const),
  caller: fc.nat(2),
  model: fc.constantFrom(...MODELS),
  endpoint: fc.constantFrom('chat', 'chat', 'embeddings'),
  user: fc.constantFrom(null, 'u', 'v'),
  address: fc.constantFrom('127.0.0.1', '10.0.0.1'),
  expected: fc.record({ input: fc.nat(9), output: fc.nat(12), bounded: fc.boolean() }),
});
const settles = fc.record({
  step: fc.constant('settle' as const),
  which: fc.nat(5),
  asked: fc.boolean(),
  by: fc.constantFrom(...MODELS, undefined),
  used: fc.record({ input: fc.nat(12), output: fc.nat(20) }),
});
const grows = fc.record({ step: fc.constant('grow' as const), which: fc.nat(5), output: fc.nat(40) });
const SECOND = 1_000;
const DAY_MS = 86_400_000;
/** Waits until the next midnight in UTC, to the millisecond. */
const MIDNIGHT = Infinity;
const waits = fc.record({
  step: fc.constant('wait' as const),
  ms: fc.oneof(
    fc.integer({ min: 0, max: 90 * SECOND }),
    fc.integer({ min: 0, max: 40 * 86_400 * SECOND }),
    fc.integer({ min: -3 * SECOND, max: 0 }),
    fc.integer({ min: -3 * 86_400 * SECOND, max: 0 }),
    fc.constant(MIDNIGHT),
  ),
});
const histories = fc.array(
  fc.oneof({ arbitrary: asks, weight: 5 }, { arbitrary: settles, weight: 3 }, grows, waits),
  {
    maxLength: 40,
  },
);
/** Shortly before a leap day, the end of a year, and clock changes. */
const STARTS = [
  '2028-02-28T23:59:58.5Z',
  '2026-12-31T22:59:59Z',
  '2026-03-29T00:59:50Z',
  '2026-09-06T03:59:59Z',
  '2026-05-13T12:00:00Z',
];

interface Rule {
  readonly config: LimitConfig;
  readonly owner: string;
  readonly apart: readonly Apart[];
  readonly raised: boolean;
}

/** The limits of a caller in the order in which they are reported. */
function rulesOf({ groups, rate_limits, auth }: Config, { key, group, limits: own }: Caller): Rule[] {
  expect(auth).toBeObject();
  const rules = (
    list: readonly LimitConfig[],
    owner: string,
    parts: readonly Apart[],
    raised = false,
  ): Rule[] => list.map((config, index) => ({ config, owner: `${owner} ${index}`, apart: parts, raised }));
  const line = group === 'child' ? (['child', 'root'] as const) : (['root'] as const);
  return [
    ...rules(own, `key ${key}`, [], true),
    ...line.flatMap((name) => [
      ...rules(groups[name]!.each_key, `each key ${name}`, ['key'], true),
      ...rules(groups[name]!.each_user, `each user ${name}`, ['user']),
      ...rules(groups[name]!.limits, name, []),
    ]),
    ...rate_limits.flatMap((limit, index) => rules([limit], `everybody ${index}`, limit.each ?? [])),
  ];
}

interface Running {
  readonly lease: Lease;
  readonly asking: { readonly model: string; readonly expected: { readonly input: number } };
  readonly parts: {
    readonly rule: Rule;
    readonly held: Held | Use;
    readonly lenient: boolean;
    readonly meter: string;
  }[];
}

/** Runs a history, and compares the limits' answers and state with the model after each step. */
function run(
  { parsed, raise }: typeof configs extends fc.Arbitrary<infer T> ? T : never,
  history: typeof histories extends fc.Arbitrary<infer T> ? T : never,
  { start, ledger, backwards }: { start: string; ledger: Ledger; backwards: boolean },
): void {
  let nowMs = Date.parse(start);
  const clock = { now: () => nowMs, monotonic: () => nowMs, after: () => () => undefined };
  const limiter = new Limiter(parsed, {
    clock,
    ledger,
    refused: () => undefined,
    decided: () => undefined,
    warns: () => undefined,
    usedUp: () => undefined,
    warned: new Map(),
  });
  const { keys } = parsed.auth as { keys: { name: string; group: string; limits: LimitConfig[] }[] };
  const raises =
    raise.by === 0
      ? []
      : [
          {
            key: 'a',
            kind: raise.kind,
            by: raise.kind === 'budget' ? raise.by / 1e9 : raise.by,
            until: nowMs + raise.hours * 3_600_000,
          },
        ];
  const callers = keys.map(({ name: key, group, limits: own }): Caller => ({
    key,
    group,
    limits: own,
    raises: key === 'a' ? (raises as Caller['raises']) : [],
    models: undefined,
    endpoints: undefined,
    providers: undefined,
    labels: {},
  }));
  const book = new Book();
  const running: Running[] = [];
  /** Usage beyond the reservation, or despite a limit that was lenient. */
  const beyond: { readonly use: Use; readonly amount: number }[] = [];
  const sliceOf = ({ config }: Rule) => {
    const window = windowOf(config);
    return (atMs: number) => {
      const slice = window.slice(atMs);
      return { startMs: slice.startMs, untilMs: window.forgets(slice) };
    };
  };
  const mostOf = ({ config, raised }: Rule, key: string | null, atMs: number): number => {
    const base =
      config.requests ?? config.tokens ?? config.concurrent ?? Math.round(config.budget! * UNITS_PER_USD);
    const kind = (['requests', 'tokens', 'budget', 'concurrent'] as const).find(
      (each) => config[each] !== undefined,
    );
    if (!raised || key !== 'a' || raises.length === 0 || raise.kind !== kind || raises[0]!.until <= atMs)
      return base;
    return base + (kind === 'budget' ? Math.round((raise.by / 1e9) * UNITS_PER_USD) : raise.by);
  };
  const meterOf = ({ owner, apart: by }: Rule, told: Record<string, string | null>) =>
    JSON.stringify([owner, ...by.map((part) => told[part] ?? '')]);
  const covers = (patterns: readonly string[] | undefined, names: readonly string[]): boolean =>
    patterns === undefined ||
    names.some((name) =>
      patterns.some((pattern) => pattern === name || (pattern === 'o*' && name.startsWith('o'))),
    );
  const namesOf = (model: string) => [model, `one/${model}`];

  const checkAll = (): void => {
    book.look(nowMs);
    for (const caller of callers) {
      const shown = limiter.standingsOf(caller).map(({ most, used, reserved }) => ({ most, used, reserved }));
      const told = { key: caller.key, group: caller.group! };
      const rules = rulesOf(parsed, caller).filter(({ apart: by }) =>
        by.every((part) => part === 'key' || part === 'group'),
      );
      const expected = rules.map((rule) => {
        const meter = meterOf(rule, told);
        return {
          most: mostOf(rule, caller.key, nowMs),
          used: book.used(meter, nowMs),
          reserved: book.held(meter),
        };
      });
      expect(shown).toEqual(expected);
      for (const [index, { used, reserved }] of expected.entries()) {
        expect(
          Number.isSafeInteger(used) && Number.isSafeInteger(reserved) && used >= 0 && reserved >= 0,
        ).toBe(true);
        // The bound: a limit is exceeded at most by what could not be known in advance.
        const rule = rules[index]!;
        const meter = meterOf(rule, told);
        const unknown = beyond
          .filter(({ use }) => use.meter === meter && book.has(use))
          .reduce((sum, { amount }) => sum + amount, 0);
        const lenient = running
          .flatMap(({ parts }) => parts)
          .filter((part) => part.lenient && part.meter === meter)
          .reduce((sum, { held }) => sum + held.amount, 0);
        expect(used + reserved).toBeLessThanOrEqual(mostOf(rule, caller.key, -Infinity) + unknown + lenient);
      }
    }
  };

  const ask = (step: typeof asks extends fc.Arbitrary<infer T> ? T : never): void => {
    const caller = callers[step.caller]!;
    const { model, endpoint, user, address, expected } = step;
    const told = { key: caller.key, group: caller.group!, user, address, model, endpoint };
    const applying = rulesOf(parsed, caller).filter(
      ({ config }) => covers(config.endpoints, [endpoint]) && covers(config.models, namesOf(model)),
    );
    const asking = {
      caller,
      endpoint,
      model,
      user,
      targets: namesOf(model),
      address: () => address,
      expected: () => expected,
      price: (input: number, output: number) => unitsFor(input, output, PRICE) / UNITS_PER_USD,
      allPriced: () => true,
    };
    const lenient = new Set<Limit>();
    const lenientRules = new Set<Rule>();
    for (;;) {
      const charges = applying.map((rule) => {
        const [amount, known] = expectedOf(rule.config, expected, PRICE);
        const meter = meterOf(rule, told);
        const most = mostOf(rule, caller.key, nowMs);
        const used = book.used(meter, nowMs);
        const room = most - used - book.held(meter);
        const isLenient = lenientRules.has(rule);
        return {
          rule,
          amount,
          known,
          meter,
          most,
          used,
          room,
          isLenient,
          fits: isLenient || amount === 0 || (room >= known && room > 0),
        };
      });
      const refusing = charges.filter(({ fits }) => !fits);
      let answer: ReturnType<Limiter['admit']>;
      try {
        answer = limiter.admit(asking, lenient);
      } catch (error) {
        expect(error).toBeInstanceOf(ProxyError);
        expect(refusing).not.toEqual([]);
        checkWait(error as ProxyError, refusing);
        return checkAll();
      }
      if (answer?.kind === 'instead') {
        expect(refusing).not.toEqual([]);
        const { limit } = answer;
        // Which of several limits it names is its choice; it must be one that refuses and is not lenient already.
        const found = refusing.find(
          ({ rule }) =>
            rule.config.when_used_up !== 'refuse' &&
            !lenient.has(limit) &&
            limit.most === mostOf(rule, null, 0) &&
            limit.name.includes(rule.owner.split(' ')[0]!),
        );
        expect(found).toBeDefined();
        checkAll();
        // The model cannot distinguish them: all limits that refuse become lenient.
        if (refusing.length > 1) return;
        lenient.add(limit);
        lenientRules.add(found!.rule);
        continue;
      }
      expect(refusing).toEqual([]);
      if (applying.length === 0) return expect(answer).toBeUndefined();
      const parts = charges.map(({ rule, amount, known, meter, most, room, isLenient }) => {
        const held = isLenient
          ? Math.min(amount, Math.max(1, most))
          : Math.max(known, Math.min(amount, room));
        if (rule.config.requests === undefined)
          return { rule, meter, lenient: isLenient, held: book.hold(meter, held) };
        const use = book.use(meter, held, sliceOf(rule), nowMs);
        if (isLenient) beyond.push({ use, amount: held });
        return { rule, meter, lenient: isLenient, held: use };
      });
      running.push({ lease: answer!, asking: { model, expected }, parts });
      return checkAll();
    }
  };

  /** At the time of the Retry-After, there is capacity as far as time alone restores it, and not before. */
  const checkWait = (
    { retryAfterMs }: ProxyError,
    refusing: readonly { rule: Rule; known: number; meter: string; most: number; used: number }[],
  ): void => {
    const byTime = refusing.filter(
      ({ rule, known, most, used }) =>
        rule.config.concurrent === undefined && Math.max(1, known) > most - used,
    );
    if (byTime.length === 0 || byTime.some(({ known, most }) => Math.max(1, known) > most)) return;
    if (byTime.some(({ rule }) => rule.config.per === 'total')) return expect(retryAfterMs).toBeUndefined();
    const full = (atMs: number) =>
      byTime.filter(({ known, meter, most }) => most - book.used(meter, atMs) < Math.max(1, known));
    expect(full(nowMs + retryAfterMs! + 1)).toEqual([]);
    expect(full(nowMs + retryAfterMs! - 1)).not.toEqual([]);
  };

  const settle = ({
    which,
    asked,
    by,
    used,
  }: typeof settles extends fc.Arbitrary<infer T> ? T : never): void => {
    if (running.length === 0) return;
    const [{ lease, asking, parts }] = running.splice(which % running.length, 1) as [Running];
    const { input, output } = used;
    const answered = by === undefined ? [] : namesOf(by);
    const told = {
      sent: asked,
      answered: () => answered,
      input,
      output,
      usd: unitsFor(input, output, PRICE) / UNITS_PER_USD,
    };
    lease.settle(told);
    // Settling again changes nothing.
    lease.settle({ ...told, input: input + 1 });
    for (const { rule, held, meter, lenient } of parts) {
      const { config } = rule;
      const counts =
        asked &&
        (covers(config.models, [asking.model]) || (answered.length > 0 && covers(config.models, answered)));
      if (config.requests !== undefined) {
        // Usage that was moved to a later time is not refunded.
        if (!counts && !('again' in held && held.again)) held.amount = 0;
        continue;
      }
      book.release(held);
      if (config.concurrent !== undefined || !counts) continue;
      const [amount] = expectedOf(config, { input, output, bounded: true }, PRICE);
      const use = book.use(meter, amount, sliceOf(rule), nowMs);
      if (lenient) beyond.push({ use, amount });
      else if (amount > held.amount) beyond.push({ use, amount: amount - held.amount });
    }
    checkAll();
  };

  const grow = ({ which, output }: typeof grows extends fc.Arbitrary<infer T> ? T : never): void => {
    if (running.length === 0) return;
    const { lease, asking, parts } = running[which % running.length]!;
    const { input } = asking.expected;
    let stopped = false;
    for (const { rule, held, meter, lenient } of parts) {
      const { config } = rule;
      if (stopped || !config.hard || lenient || (config.tokens === undefined && config.budget === undefined))
        continue;
      const need = (more: number) =>
        expectedOf(config, { input, output: output + more, bounded: true }, PRICE)[0] - held.amount;
      if (need(0) <= 0) continue;
      const room = mostAtAdmission.get(held)! - book.used(meter, nowMs) - book.held(meter);
      const more = need(64) <= room ? need(64) : need(0) <= room ? need(0) : undefined;
      if (more === undefined) stopped = true;
      else held.amount += more;
    }
    expect(lease.grow(output) !== undefined).toBe(stopped);
    checkAll();
  };
  const mostAtAdmission = {
    get: (held: Held | Use) => {
      const found = running.flatMap(({ parts }) => parts).find((part) => part.held === held)!;
      const owner = callers.find(
        ({ key }) => found.meter.includes(`key ${key} `) || found.meter.endsWith(`,"${key}"]`),
      );
      return bornWith.get(held) ?? mostOf(found.rule, owner?.key ?? null, nowMs);
    },
  };
  const bornWith = new Map<Held | Use, number>();

  checkAll();
  for (const step of history) {
    const before = running.length;
    const atMs = nowMs;
    if (step.step === 'ask') ask(step);
    else if (step.step === 'settle') settle(step);
    else if (step.step === 'grow') grow(step);
    else if (step.ms >= 0 || backwards) {
      nowMs += step.ms === MIDNIGHT ? DAY_MS - (nowMs % DAY_MS) : step.ms;
      checkAll();
    }
    if (running.length > before) {
      const { parts } = running.at(-1)!;
      const key = step.step === 'ask' ? callers[step.caller]!.key : null;
      for (const { held, rule } of parts) bornWith.set(held, mostOf(rule, key, atMs));
    }
  }
  // Whatever happened, nothing is reserved when all requests are finished.
  while (running.length > 0)
    settle({ step: 'settle', which: 0, asked: true, by: 'opus', used: { input: 1, output: 1 } });
  for (const caller of callers)
    for (const { reserved } of limiter.standingsOf(caller)) expect(reserved).toBe(0);
}

describe('limits agree with the model', () => {
  test('in memory', () => {
    fc.assert(
      fc.property(configs, histories, fc.constantFrom(...STARTS), (config, history, start) =>
        run(config, history, { start, ledger: new MemoryLedger(new Map(), 1_000), backwards: false }),
      ),
      { numRuns: 300 },
    );
  }, 120_000);

  test('while the clock is set back', () => {
    fc.assert(
      fc.property(configs, histories, fc.constantFrom(...STARTS), ({ parsed, raise }, history, start) => {
        // Limits counted separately by a property of the request cannot be read without one.
        const visible = {
          ...parsed,
          groups: {
            root: { ...parsed.groups.root!, each_user: [] },
            child: { ...parsed.groups.child!, each_user: [] },
          },
          rate_limits: parsed.rate_limits.filter(({ each = [] }) =>
            each.every((part) => part === 'key' || part === 'group'),
          ),
        };
        run({ parsed: visible, raise }, history, {
          start,
          ledger: new MemoryLedger(new Map(), 1_000),
          backwards: true,
        });
      }),
      { numRuns: 300 },
    );
  }, 120_000);

  test('in the file that workers share', () => {
    fc.assert(
      fc.property(configs, histories, fc.constantFrom(...STARTS), (config, history, start) => {
        try {
          run(config, history, { start, ledger: shared(directory(), 1), backwards: false });
        } finally {
          cleanUp();
        }
      }),
      { numRuns: 30 },
    );
  }, 120_000);
});
