/** Loading a configuration takes time in proportion to its size, whatever it has many of and however many problems. */
import { expect, test } from 'bun:test';
import { loadConfig } from '../../src/config/load.ts';

const SOME = 60;
/** Quadratic work takes 64 times as long for the larger one. */
const TIMES = 8;

/** The shortest CPU time of several runs, milliseconds. */
function costMs(text: string): number {
  const tries = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    loadConfig({ path: 'config.yaml', text, env: {} });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...tries);
}

const each = <T>(many: number, make: (index: number) => T): T[] =>
  Array.from({ length: many }, (_, i) => make(i));
const named = (many: number, make: (index: number) => unknown) =>
  Object.fromEntries(each(many, (index) => [`name-${index}`, make(index)]));
const keys = (many: number, rules: (index: number) => object) => ({
  auth: {
    keys: each(many, (i) => ({ name: `k${i}`, hash: `sha256:${String(i).padStart(64, '0')}`, ...rules(i) })),
  },
});
const provider = { name: 'p', type: 'mock', models: ['only'] };
const providers = (many: number) =>
  each(many, (i) => ({ ...provider, name: `p${i}`, models: [`m${i}`, `x${i}-*`] }));
/** Without line breaks, so that all problems are on one line. */
const json = (config: object) => JSON.stringify({ providers: [provider], ...config });
const yaml = (many: number, line: (index: number) => string) =>
  `providers: [{ name: p, type: mock }]\ngroups:\n${each(many, line).join('\n')}\n`;

test.each<[string, (many: number) => string]>([
  [
    'keys with lists that match nothing',
    (n) => json(keys(n, (i) => ({ models: [`x${i}`], providers: [`y${i}`] }))),
  ],
  [
    'keys of unknown groups',
    (n) => json({ groups: named(n, () => ({})), ...keys(n, (i) => ({ group: `nmae-${i}` })) }),
  ],
  ['unknown fields', (n) => json(keys(n, () => ({ modles: [] })))],
  ['groups with lists that match nothing', (n) => json({ groups: named(n, (i) => ({ models: [`x${i}`] })) })],
  ['groups in a chain', (n) => json({ groups: named(n, (i) => (i ? { parent: `name-${i - 1}` } : {})) })],
  ['groups in a ring', (n) => json({ groups: named(n, (i) => ({ parent: `name-${(i + 1) % n}` })) })],
  [
    'aliases of many providers',
    (n) => json({ providers: providers(n), models: named(n, (i) => [`m${i}`, `p${i}/x${i}-1`]) }),
  ],
  ['aliases to nowhere', (n) => json({ models: named(n, (i) => `nmae-${i}`) })],
  ['aliases in a chain', (n) => json({ models: named(n, (i) => (i ? `name-${i - 1}` : 'only')) })],
  ['aliases in a ring', (n) => json({ models: named(n, (i) => `name-${(i + 1) % n}`) })],
  [
    'prices of unknown providers',
    (n) => json({ prices: each(n, (i) => ({ model: 'm', provider: `q${i}`, request: 1 })) }),
  ],
  ['a list of exclusions', (n) => json(keys(1, () => ({ models: each(n, (i) => `!m${i}`) })))],
  ['keys given twice', (n) => yaml(n, (i) => `  g${i}: {}\n  g${i}: {}`)],
  ['lost aliases', (n) => yaml(n, (i) => `  g${i}: { models: [*gpt${i}] }`)],
  ['merges', (n) => yaml(n, (i) => (i ? `  g${i}: { <<: *g }` : '  g0: &g { models: [x] }'))],
  ['misaligned lines', (n) => yaml(n, (i) => `  g${i}:\n      a: 1\n    b: 2`)],
  ['open brackets', (n) => yaml(n, (i) => `  g${i}: { models: [a`)],
])('%s', (_, made) => {
  const [few, many] = [made(SOME), made(SOME * TIMES)];
  costMs(few);
  // A few milliseconds are spent on any file.
  expect(costMs(many)).toBeLessThan(3 * TIMES * (costMs(few) + 3));
});

test('aliases whose ways fork and join again', () => {
  const layers = 60;
  const fork = (at: number) => (at === layers ? 'only' : [`a${at + 1}`, `b${at + 1}`]);
  const models = each(layers, (i) => [
    [`a${i + 1}`, fork(i + 1)],
    [`b${i + 1}`, fork(i + 1)],
  ]).flat();
  const { problems } = loadConfig({
    path: 'c.yaml',
    text: json({ models: Object.fromEntries(models) }),
    env: {},
  });
  expect(problems).toEqual([]);
});
