/** The compiled binary on routes with `hedge`: a second target is called when the first is slow to start. */
import { expect } from 'bun:test';
import { expectWhole, providerAt, theme, themeOfEach } from '../helpers/rig.ts';
import { until } from '../helpers/until.ts';

const DELAY_MS = 80;
const WAYS = ['streamed', 'unstreamed'] as const;

function each(name: string, targets: (label: string) => string[], hedge: object | string | undefined) {
  return WAYS.map((way) => [
    `${name} ${way}`,
    { targets: targets(`${name}-${way}`), ...(hedge === undefined ? {} : { hedge }) },
  ]);
}

const generous = { delay: `${DELAY_MS}ms`, budget: 1 };

const { everyWay, bothModes } = theme({
  routing: { breaker: { failures: 2 } },
  broken: { timeout: '30s', max_retries: 0 },
  others: ({ broken, protocol }) => [
    providerAt(protocol, 'second', broken, { priority: 9, timeout: '30s', max_retries: 0 }),
  ],
  models: Object.fromEntries([
    ...each('slow', (label) => [`broken/late:5000#${label}`, `steady/late:5000#${label}`], generous),
    ...each('silent', (label) => [`broken/silent#${label}`, `steady/silent#${label}`], generous),
    ...each('quick', (label) => [`broken/any#${label}`, `steady/any#${label}`], { delay: '5s', budget: 1 }),
    ...each('slower', (label) => [`broken/late:300#${label}`, `second/late:5000#2-${label}`], generous),
    ...each('both', (label) => [`broken/silent#${label}`, `second/silent#2-${label}`], generous),
    ...each('broken', (label) => [`broken/500#${label}`, `steady/500#${label}`], generous),
    ...each('off', (label) => [`broken/late:300#${label}`, `steady/late:300#${label}`], undefined),
    ...each('learned', (label) => [`broken/late:15000-after25#${label}`, `steady/any#${label}`], {
      budget: 1,
    }),
  ]),
});

const wayOf = (stream: boolean): string => (stream ? 'streamed' : 'unstreamed');

for (const [what, name, fault] of [
  ['late', 'slow', 'late:5000'],
  ['silent', 'silent', 'silent'],
] as const) {
  everyWay(
    `when a target is ${what}, a second one is tried after the delay; it wins, and the first is cancelled`,
    async ({ rig, stream }) => {
      const requestedMs = performance.now();
      const seen = await rig.ask(`${name} ${wayOf(stream)}`, { stream });
      expectWhole(seen, stream);
      expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
      const model = `${fault}#${name}-${wayOf(stream)}`;
      const [first] = rig.broken.attemptsOf(model);
      const [second] = rig.steady.attemptsOf(model);
      // Measured from the start of the request: on a busy machine the first attempt may be recorded late,
      // but the second is never early.
      expect(second!.atMs - requestedMs).toBeGreaterThanOrEqual(DELAY_MS / 2);
      await rig.broken.endedOf(model);
      expect(first!.aborted).toBe(true);
      const record = await rig.recordOf(seen);
      expect(record.outcome).toBe('success');
      // Waiting for the first target is not the proxy's overhead, although that target never answered.
      expect(record.latency_ms - record.overhead_ms!).toBeGreaterThanOrEqual(DELAY_MS / 2);
    },
  );

  bothModes(
    `a target that was ${what} and lost to a second one counts no failure`,
    async ({ rig, stream }) => {
      for (let n = 0; n < 4; n += 1)
        expectWhole(await rig.ask(`${name} ${wayOf(stream)}`, { stream }), stream);
      const model = `${fault}#${name}-${wayOf(stream)}`;
      const { targets } = await rig.provider('broken');
      const target = targets.find((each) => each.model === model)!;
      expect([target.breaker, target.resting]).toEqual(['closed', null]);
      expect(rig.broken.attemptsOf(model).length).toBeGreaterThanOrEqual(4);
    },
  );
}

everyWay('a target that begins within the delay is the only one asked', async ({ rig, stream }) => {
  const seen = await rig.ask(`quick ${wayOf(stream)}`, { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-provider')).toBe('broken');
  expect(rig.steady.attemptsOf(`any#quick-${wayOf(stream)}`).length).toBe(0);
});

everyWay('a second target that is slower still loses and is let go', async ({ rig, stream }) => {
  const seen = await rig.ask(`slower ${wayOf(stream)}`, { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-provider')).toBe('broken');
  const [second] = await rig.broken.endedOf(`late:5000#2-slower-${wayOf(stream)}`);
  expect(second!.aborted).toBe(true);
});

everyWay('a first target that fails before the delay is failed over as ever', async ({ rig, stream }) => {
  const seen = await rig.ask(`broken ${wayOf(stream)}`, { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
});

everyWay('a caller that leaves a race takes both attempts with it', async ({ rig, stream }) => {
  const abort = new AbortController();
  const asking = rig.ask(`both ${wayOf(stream)}`, { stream, signal: abort.signal });
  const left = asking.catch((error: Error) => error.name);
  const attempts = () => [
    ...rig.broken.attemptsOf(`silent#both-${wayOf(stream)}`),
    ...rig.broken.attemptsOf(`silent#2-both-${wayOf(stream)}`),
  ];
  await until('requests at both targets', () => attempts().length, { atLeast: 2 });
  abort.abort();
  expect(await left).toBe('AbortError');
  await until('both requests to be cancelled', () => attempts().every(({ closedBy }) => closedBy));
  expect(attempts().map(({ aborted }) => aborted)).toEqual([true, true]);
});

everyWay('without hedge nobody is asked beside a slow target', async ({ rig, stream }) => {
  expectWhole(await rig.ask(`off ${wayOf(stream)}`, { stream }), stream);
  expect(rig.steady.attemptsOf(`late:300#off-${wayOf(stream)}`).length).toBe(0);
});

everyWay(
  'without a configured delay, the target’s own p95 is used once it is known',
  async ({ rig, stream }) => {
    const name = `learned ${wayOf(stream)}`;
    for (let n = 0; n < 25; n += 1) expectWhole(await rig.ask(name, { stream }), stream);
    const model = `late:15000-after25#learned-${wayOf(stream)}`;
    const known = () => rig.broken.attemptsOf(model).length >= 25;
    await until('25 attempts', async () => known() || (await rig.ask(name, { stream }), known()));
    const seen = await rig.ask(name, { stream });
    expectWhole(seen, stream);
    expect(seen.headers.get('x-llmproxy-provider')).toBe('steady');
  },
);

bothModes('a hedged answer has one record', async ({ rig, stream }) => {
  const seen = await rig.ask(`slow ${wayOf(stream)}`, { stream });
  expect((await rig.recordOf(seen)).provider).toBe('steady');
});

/** Each has its own budget. */
const budgets = themeOfEach({
  broken: { timeout: '30s', max_retries: 0 },
  models: {
    failing: { targets: ['broken/late:300#failing', 'broken/500#failing'], hedge: generous },
    thrifty: {
      targets: ['broken/late:100#thrifty', 'steady/thrifty'],
      hedge: { delay: '10ms', budget: 0.1 },
    },
    lavish: { targets: ['broken/any#lavish', 'steady/lavish'], hedge: { delay: '5s', budget: 1 } },
  },
});

budgets.everyWay('a second target that fails leaves the first in the race', async ({ rig, stream }) => {
  const seen = await rig.ask('failing', { stream });
  expectWhole(seen, stream);
  expect(seen.headers.get('x-llmproxy-model')).toBe('late:300#failing');
  expect(rig.broken.attemptsOf('500#failing').length).toBe(1);
});

budgets.bothModes(
  'the budget limits the extra requests, however slow the first target is',
  async ({ rig, stream }) => {
    const seen = await Promise.all(Array.from({ length: 60 }, () => rig.ask('thrifty', { stream })));
    for (const each of seen) expectWhole(each, stream);
    const extra = rig.steady.attemptsOf('thrifty').length;
    expect(extra).toBeGreaterThan(0);
    // A tenth of the requests, plus the few that a new budget allows at once.
    expect(extra).toBeLessThanOrEqual(20);
  },
);

budgets.bothModes(
  'each route has its own budget: requests of other routes add nothing to it',
  async ({ rig, stream }) => {
    for (let n = 0; n < 40; n += 1)
      await Promise.all(['thrifty', 'lavish'].map((name) => rig.ask(name, { stream })));
    expect(rig.steady.attemptsOf('thrifty').length).toBeLessThanOrEqual(20);
  },
);
