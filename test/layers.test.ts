import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Glob } from 'bun';

const SRC = join(import.meta.dir, '../src');

/** Layers from top to bottom. A file may import from its own folder or from a lower row, but not from its own row. */
const ROWS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['cli'],
  ['workers'],
  ['proxy.ts', 'explain.ts'],
  ['proxy'],
  ['server', 'spending.ts', 'telemetry'],
  ['pipeline', 'export', 'usage', 'work', 'plugins', 'stored'],
  ['providers', 'limits', 'logs'],
  ['redact', 'redis'],
  ['wire', 'config'],
  ['errors.ts', 'clock.ts', 'events.ts', 'turns.ts', 'version.ts', 'web'],
  ['faults.ts', 'abort.ts', 'timer-wheel.ts'],
  ['chain.ts', 'service-tiers.ts', 'fee-units.ts'],
];

/** Names that pipeline/ and wire/ may not use: time, randomness and I/O are passed in as arguments. */
const IMPURE = new RegExp(
  [
    /\bBun\b|\bglobalThis\b|\bprocess\.|\bfetch\(/,
    /\bDate\.now\b|\bDate\(\)|\bperformance\.(?:now|timeOrigin)\b/,
    /\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b/,
    /\bMath\.random\b|\brandomUUID\b|\bgetRandomValues\b/,
    /'(?:bun|bun:[a-z]+|node:(?!(?:zlib|buffer)')[\w/]+)'/,
  ]
    .map(({ source }) => source)
    .join('|'),
);

function rowOf(part: string): number {
  const row = ROWS.findIndex((parts) => parts.includes(part));
  if (row < 0) throw new Error(`src/${part} has no place among the layers: give it one in ROWS`);
  return row;
}

/** The source without comments and without the text of strings, except for the paths and attributes of imports. */
function codeOf(source: string): string {
  return source.replace(
    /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    (piece: string, at: number) => {
      if (piece.startsWith('/')) return ' ';
      const before = source.slice(Math.max(0, at - 40), at);
      return /(?:\bfrom|\bimport|\bimport\(|\bwith \{ type:)\s*$/.test(before) ? piece : "''";
    },
  );
}

/** The rules of its layer that a source file breaks. */
function violations(path: string, source: string): string[] {
  const found: string[] = [];
  const own = path.split('/')[0]!;
  const code = codeOf(source);
  for (const [, specifier = '', rest = ''] of code.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'(.*)/g)) {
    if (!specifier.startsWith('.')) {
      if (specifier.startsWith('consola') && own !== 'cli' && own !== 'proxy.ts')
        found.push(`${path} imports ${specifier}`);
      continue;
    }
    const imported = new URL(specifier, `file:///${path}`).pathname.slice(1).split('/')[0]!;
    if (imported === own || imported === 'package.json') continue;
    // A macro runs when the binary is built. Only its result is part of the binary.
    if (imported === 'scripts' && rest.startsWith(" with { type: 'macro' }")) continue;
    if (rowOf(imported) <= rowOf(own)) found.push(`${path} imports ${specifier}`);
  }
  const impure = (own === 'pipeline' || own === 'wire') && IMPURE.exec(code);
  if (impure) found.push(`${path} names ${impure[0]}`);
  if (own !== 'main.ts' && /\bprocess\.exit\(/.test(code)) found.push(`${path} exits`);
  return found;
}

test('imports in src go downwards, pipeline and wire are pure, and only main exits', async () => {
  const found: string[] = [];
  for await (const path of new Glob('**/*.{ts,tsx}').scan(SRC))
    found.push(...violations(path, await Bun.file(join(SRC, path)).text()));
  expect(found).toEqual([]);
});

/** The relative imports of a file at run time, and with `types` those of types as well. */
function importsOf(path: string, source: string, { types = false } = {}): string[] {
  return [
    ...codeOf(source).matchAll(/\b(import|export)\b([^;'"]*?)\bfrom\s*'(\.[^']+)'|\bimport\s*'(\.[^']+)'/g),
  ]
    .filter(([, , clause = '']) => types || !/^\s*type\b/.test(clause))
    .map(([, , , from, bare]) => new URL((from ?? bare)!, `file:///${path}`).pathname.slice(1));
}

/** A path of imports that leads back to its start, or `undefined`. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(path);
    if (at >= 0) return [...way.slice(at), path];
    if (done.has(path)) return undefined;
    for (const next of imports.get(path) ?? []) {
      const circle = visit(next, [...way, path]);
      if (circle) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
  return undefined;
}

test.each([
  ['src', '**/*.{ts,tsx}', {}],
  ['src/export', 'export/**/*.ts', { types: true }],
] as const)('no file in %s imports itself through other files', async (_, pattern, options) => {
  const imports = new Map<string, string[]>();
  for await (const path of new Glob(pattern).scan(SRC))
    imports.set(path, importsOf(path, await Bun.file(join(SRC, path)).text(), options));
  expect(imports.size).toBeGreaterThan(50);
  expect(circleIn(imports)).toBeUndefined();
});

test('circleIn() finds a cycle, and importsOf() finds all imports at run time', () => {
  const source = `import { a } from './a.ts';
    import type { b } from './b.ts';
    import type c from '../c.ts';
    export { d } from '../d.ts';
    import './e.ts';
    import f, { type g } from './f.ts';
    export type { h } from './h.ts';`;
  expect(importsOf('x/y.ts', source)).toEqual(['x/a.ts', 'd.ts', 'x/e.ts', 'x/f.ts']);
  expect(importsOf('x/y.ts', source, { types: true })).toHaveLength(7);
  const circle = { 'a.ts': ['b.ts', 'c.ts'], 'b.ts': ['d.ts'], 'c.ts': ['b.ts'], 'd.ts': ['c.ts'] };
  expect(circleIn(new Map(Object.entries(circle)))).toEqual(['b.ts', 'd.ts', 'c.ts', 'b.ts']);
  expect(circleIn(new Map(Object.entries({ ...circle, 'd.ts': [] })))).toBeUndefined();
});

describe('violations() finds', () => {
  test.each([
    ['wire/a.ts', "import { x } from '../pipeline/b.ts';"],
    ['wire/a.ts', "import type { x } from '../config/b.ts';"],
    ['pipeline/a.ts', "const m = await import('../server/b.ts');"],
    ['logs/a.ts', "import { x } from '../providers/b.ts';"],
    ['errors.ts', "import { x } from './wire/json.ts';"],
    ['server/a.ts', "import { createConsola } from 'consola';"],
    ['wire/a.ts', 'const now = Date.now();'],
    ['pipeline/a.ts', 'const dice = Math.random();'],
    ['pipeline/a.ts', 'await fetch(url);'],
    ['wire/a.ts', "import { readFileSync } from 'node:fs';"],
    ['wire/a.ts', "import { file } from 'bun';"],
    ['wire/a.ts', "const site = 'http://a'; const now = Date.now();"],
    ['pipeline/a.ts', 'const signal = AbortSignal.timeout(5);'],
    ['pipeline/a.ts', 'const id = crypto.randomUUID();'],
    ['export/a.ts', "import { x } from '../pipeline/b.ts';"],
    ['proxy.ts', "import { x } from './cli/b.ts';"],
    ['cli/a.ts', "import { x } from '../main.ts';"],
    ['pipeline/a.ts', "export type { x } from '../server/b.ts';"],
    ['pipeline/a.ts', "import '../server/b.ts';"],
    ['cli/a.ts', 'process.exit(1);'],
  ])('%s: %s', (path, source) => expect(violations(path, source)).not.toEqual([]));
});

test('violations() refuses a folder that is not in ROWS', () => {
  expect(() => violations('dashboard/a.ts', "import { x } from '../errors.ts';")).toThrow('no place');
  expect(() => violations('server/a.ts', "import { x } from '../dashboard/b.ts';")).toThrow('no place');
});

test('violations() permits imports from scripts only for macros, which run at build time', () => {
  const macro = "import { x } from '../../scripts/b.ts' with { type: 'macro' };";
  expect(violations('cli/a.ts', macro)).toEqual([]);
  for (const other of ["with { type: 'text' };", ';', "; const x = { type: 'macro' };"])
    expect(() => violations('cli/a.ts', macro.replace(/ with.*/, ` ${other}`))).toThrow('no place');
});

test.each([
  ['text in a comment', '// not fetch(url)\n/* nor process.exit(1) */'],
  ['text in a string', "const text = 'Bun, fetch(url), // and Date.now';"],
  ['a given date', 'const day = new Date(ms);'],
  ['its own folder', "import { y } from './c.ts';"],
  ['a lower row', "import { x } from '../wire/b.ts';"],
])('violations() permits %s', (_, source) => expect(violations('pipeline/a.ts', source)).toEqual([]));
