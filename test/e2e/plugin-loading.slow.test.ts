/** How the compiled binary loads and reloads plugins. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.ts';
import { BINARY, built, cleared, folder, run } from '../helpers/binary.ts';
import type { PluggedIn } from '../helpers/plugins.ts';
import { plugged, textOf, write } from '../helpers/plugins.ts';
import { until } from '../helpers/until.ts';

beforeAll(built, 60_000);
afterAll(cleared);

const CHAT = { model: 'x', messages: [{ role: 'user', content: 'hi' }] };

const CONFIG: ConfigInput = {
  plugins: ['odd.ts'],
  providers: [{ name: 'a', type: 'odd', models: ['x'], max_retries: 0 }],
};

/** A plugin that answers with the value of an expression. */
const saying = (expression: string, imports = '') => `import { answer, BaseProvider } from 'llmproxy';
${imports}
export class Odd extends BaseProvider {
  static readonly type = 'odd';
  override async send(call) { return answer(call, async function* () { yield ${expression}; }); }
}
`;

async function said(proxy: PluggedIn): Promise<string> {
  // Uses a new connection, which may reach another worker.
  const answer = await proxy.post('/v1/chat/completions', CHAT, { keepalive: false });
  return textOf(await answer.json());
}

/** Waits until the plugin answers with this text; the proxy checks its files once per second. */
async function saidSoon(proxy: PluggedIn, text: string): Promise<void> {
  await until(`the answer ${text}`, () => said(proxy), { is: text, everyMs: 100 });
}

describe('A plugin that cannot be loaded', () => {
  const serveOnce = (files: Record<string, string>) => {
    const cwd = folder();
    write(cwd, { ...files, 'config.yaml': JSON.stringify({ ...CONFIG, plugin_timeout: '1s' }) });
    return run(cwd, 'serve', '--port', '0');
  };
  const failing = `import { BaseProvider } from 'llmproxy';
export class Odd extends BaseProvider {
  static readonly type = 'odd';
  constructor(services) { super(services); null.x; }
}`;

  test.each<[string, string | undefined, RegExp]>([
    ['never ends', 'while (true);', /odd\.ts: it did not load within 1000 ms/],
    ['waits for ever', 'await new Promise(() => {});', /odd\.ts: it did not load within 1000 ms/],
    ['ends the process', 'process.exit(0);', /odd\.ts: it ended its thread while loading/],
    ['is not there', undefined, /odd\.ts: there is no such file/],
    ['is no TypeScript', 'export const = 1;', /odd\.ts: Expected identifier .* at .*odd\.ts:1:14/],
    ['throws', "throw new Error('no luck');", /odd\.ts: no luck at .*odd\.ts:1:/],
    ['throws in a constructor', failing, /provider `a`: TypeError: .* at .*odd\.ts:4:/],
    ['has a taken type', failing.replace("'odd'", "'openai'"), /its type `openai` is taken by this program/],
    ['has no type', failing.replace(/static.*/, ''), /its class Odd needs `static type = 'acme'/],
    ['has an unknown hook', 'export default { onResponse() {} };', /unknown hook `onResponse`/],
    ['exports nothing', 'export const x = 1;', /it exports nothing to use/],
  ])('one that %s keeps serve from beginning, and says why', (_, text, told) => {
    const { code, err } = serveOnce(text === undefined ? {} : { 'odd.ts': text });
    expect(code).toBe(1);
    expect(err).toMatch(told);
    expect(err).toMatch(/config\.yaml:1:\d+ error: /);
  });
});

describe('A plugin is loaded again', () => {
  test('when its file or one that it imports changes; if it cannot be loaded, the last version stays in effect', async () => {
    const files = {
      'odd.ts': saying('word', "import { word } from './deep/helper.ts';"),
      'deep/helper.ts': "export const word = 'one';",
    };
    const proxy = await plugged(CONFIG, files);
    expect(await said(proxy)).toBe('one');
    write(proxy.cwd, { 'deep/helper.ts': "export const word = 'two';" });
    await saidSoon(proxy, 'two');
    write(proxy.cwd, { 'deep/helper.ts': 'export const word = ;' });
    await until('the message about the mistake', () =>
      /Unexpected ; at .*helper\.ts:1:21/.test(proxy.said()),
    );
    await until('the message that the previous plugin stays in effect', () =>
      proxy.said().includes('the previous one stays in effect'),
    );
    expect(await said(proxy)).toBe('two');
    write(proxy.cwd, { 'deep/helper.ts': "export const word = 'three';" });
    await saidSoon(proxy, 'three');
    write(proxy.cwd, { 'odd.ts': saying("'four'") });
    await saidSoon(proxy, 'four');
  });

  test('when a symlink changes its target, as in a mounted ConfigMap', async () => {
    const files = {
      'v1/odd.ts': saying('word', "import { word } from './helper.ts';"),
      'v1/helper.ts': "export const word = 'one';",
      'v2/odd.ts': saying('word', "import { word } from './helper.ts';"),
      'v2/helper.ts': "export const word = 'two';",
    };
    const cwd = folder();
    write(cwd, files);
    symlinkSync('v1', join(cwd, 'current'));
    const proxy = await plugged({ ...CONFIG, plugins: [join(cwd, 'current/odd.ts')] }, {});
    expect(await said(proxy)).toBe('one');
    symlinkSync('v2', join(cwd, 'next'));
    renameSync(join(cwd, 'next'), join(cwd, 'current'));
    await saidSoon(proxy, 'two');
  });

  test('and requests in flight finish with the code that they began with', async () => {
    const slow = saying("'begun'; while (!(await Bun.file('go').exists())) await Bun.sleep(5); yield ' old'");
    const proxy = await plugged(CONFIG, { 'odd.ts': slow });
    const streamed = await proxy.post('/v1/chat/completions', { ...CHAT, stream: true });
    write(proxy.cwd, { 'odd.ts': saying("'new'") });
    await until('the new one', () => proxy.said().includes('Reloaded '));
    expect(await said(proxy)).toBe('new');
    write(proxy.cwd, { go: '' });
    expect(await streamed.text()).toMatch(/begun[^]* old[^]*\[DONE\]/);
  });

  test('together with the configuration: if the two do not match, neither is applied', async () => {
    const proxy = await plugged(CONFIG, { 'odd.ts': saying("'one'") });
    const other = saying("'two'").replace("type = 'odd'", "type = 'even'");
    write(proxy.cwd, { 'odd.ts': other });
    await until('the message about the type', () => proxy.said().includes('found `odd`'));
    expect(await said(proxy)).toBe('one');
    const config = { ...CONFIG, providers: [{ name: 'a', type: 'even', models: ['x'] }] };
    write(proxy.cwd, { 'config.yaml': JSON.stringify(config) });
    await saidSoon(proxy, 'two');
    const without = { ...CONFIG, plugins: [], providers: [{ name: 'm', type: 'mock', models: ['x'] }] };
    write(proxy.cwd, { 'config.yaml': JSON.stringify(without) });
    await until('the mock', async () => (await said(proxy)).startsWith('You said'), { everyMs: 100 });
    // A file that is no longer configured may be deleted.
    unlinkSync(join(proxy.cwd, 'odd.ts'));
    expect((await said(proxy)).startsWith('You said')).toBe(true);
  });
});

test.if(process.platform === 'linux')(
  'several workers load plugins, and load them again, also one that begins anew',
  async () => {
    const config = { ...CONFIG, server: { workers: 2 } };
    const proxy = await plugged(config, { 'odd.ts': saying('`one ${process.pid}`') });
    const pids = new Set<string>();
    const ask = async () => (await said(proxy)).split(' ');
    await until('both workers', async () => pids.add((await ask())[1]!).size, { is: 2 });
    write(proxy.cwd, { 'odd.ts': saying('`two ${process.pid}`') });
    const changed = new Set<string>();
    await until('both to have it', async () => {
      const [word, pid] = await ask();
      if (word === 'two') changed.add(pid!);
      return changed.size === 2;
    });
    expect(changed).toEqual(pids);
    const [gone] = pids;
    process.kill(Number(gone), 'SIGKILL');
    await until('another worker', async () => {
      const [word, pid] = await ask().catch(() => []);
      return word === 'two' && !pids.has(pid!);
    });
  },
);

describe('What a plugin imports', () => {
  test('may be a package in its own node_modules, found by main or exports', async () => {
    const files = {
      'odd.ts': saying(
        'a + b + c',
        "import { a } from 'by-main'; import { b } from 'by-exports'; import { c } from '@scope/by-exports/deep';",
      ),
      'node_modules/by-main/package.json': '{ "name": "by-main", "main": "lib/start.js" }',
      'node_modules/by-main/lib/start.js': "module.exports = { a: 'A' };",
      'node_modules/by-exports/package.json':
        '{ "name": "by-exports", "type": "module", "exports": { ".": { "import": "./start.mjs" } } }',
      'node_modules/by-exports/start.mjs': "export const b = 'B';",
      'node_modules/@scope/by-exports/package.json':
        '{ "name": "@scope/by-exports", "exports": { "./deep": "./far/away.ts" } }',
      'node_modules/@scope/by-exports/far/away.ts': "export const c: string = 'C';",
    };
    expect(await said(await plugged(CONFIG, files))).toBe('ABC');
  });

  test('is this program’s own API, even if another package is called llmproxy', async () => {
    const files = {
      'odd.ts': saying("'mine'"),
      'node_modules/llmproxy/package.json': '{ "name": "llmproxy", "main": "evil.js" }',
      'node_modules/llmproxy/evil.js': "require('node:fs').writeFileSync('evil', 'ran');",
      'package.json': '{ "name": "llmproxy", "main": "./node_modules/llmproxy/evil.js" }',
      'tsconfig.json':
        '{ "compilerOptions": { "paths": { "llmproxy": ["./node_modules/llmproxy/evil.js"] } } }',
    };
    const proxy = await plugged(CONFIG, files);
    expect(await said(proxy)).toBe('mine');
    expect(await Bun.file(join(proxy.cwd, 'evil')).exists()).toBe(false);
  });
});

test('nothing in the current folder is run, with or without plugins', async () => {
  const evil = "require('node:fs').appendFileSync('evil', process.argv.join(' ') + '\\n');";
  const script = 'touch evil';
  const manifest = {
    name: 'llmproxy',
    type: 'commonjs',
    main: './evil.js',
    module: './evil.js',
    exports: { '.': './evil.js', './*': './evil.js' },
    imports: { '#*': './evil.js' },
    browser: { 'node:fs': './evil.js', hono: './evil.js', yaml: './evil.js' },
    scripts: { preinstall: script, postinstall: script, prestart: script, check: script, test: script },
    trustedDependencies: ['zod'],
    dependencies: { zod: 'file:./evil', bad: 'git+file:///nowhere' },
    patchedDependencies: { 'zod@4.6.7': 'evil.js' },
    workspaces: ['*'],
    bun: { preload: ['./evil.js'] },
    preload: ['./evil.js'],
  };
  const packages = ['zod', 'yaml', 'hono', 'citty', 'consola', 'llmproxy', 'bun-types', 'typescript'];
  const files = {
    'evil.js': evil,
    'package.json': JSON.stringify(manifest),
    'bunfig.toml': 'preload = ["./evil.js"]\n[test]\npreload = ["./evil.js"]\n[run]\nbun = true\n',
    '.env': 'BUN_OPTIONS=--preload=./evil.js\nLLMPROXY_CONFIG=evil.yaml\n',
    'tsconfig.json': '{ "compilerOptions": { "paths": { "*": ["./evil.js"] } }, "extends": "./evil.json" }',
    'index.ts': evil,
    'odd.ts': saying("'good'"),
    ...Object.fromEntries(
      packages.flatMap((name) => [
        [`node_modules/${name}/package.json`, `{ "name": "${name}", "main": "index.js" }`],
        [`node_modules/${name}/index.js`, evil.replace("'evil'", "__dirname + '/../../evil'")],
      ]),
    ),
  };
  const proxy = await plugged(CONFIG, files);
  expect(await said(proxy)).toBe('good');
  const { cwd } = proxy;
  for (const args of [
    ['--version'],
    ['config', 'validate'],
    ['providers'],
    ['explain', '--model', 'x'],
    ['plugin', 'check', 'odd.ts'],
  ])
    run(cwd, ...args);
  write(cwd, { 'config.yaml': JSON.stringify({ providers: [{ name: 'm', type: 'mock' }] }) });
  expect(run(cwd, 'config', 'validate')).toMatchObject({ code: 0, err: '' });
  expect(await Bun.file(join(cwd, 'evil')).exists()).toBe(false);
});

describe('llmproxy plugin', () => {
  test('init writes a plugin that passes check, and whose test runs, with nothing else installed', () => {
    const cwd = folder();
    const { code, out } = run(cwd, 'plugin', 'init', 'mine');
    expect([code, out]).toEqual([0, expect.stringContaining('mine/local.ts: written')]);
    const checked = run(cwd, 'plugin', 'check', 'mine/local.ts');
    expect(checked).toEqual({
      code: 0,
      err: '',
      out: 'mine/local.ts: plugin local with provider type local\n',
    });
    const env = { ...process.env, BUN_BE_BUN: '1' };
    const options = { cwd: join(cwd, 'mine'), env, stdout: 'pipe', stderr: 'pipe' } as const;
    const { exitCode, stderr } = Bun.spawnSync([BINARY, 'test'], options);
    expect([exitCode, stderr.toString()]).toEqual([0, expect.stringContaining(' 2 pass\n 0 fail')]);
    const types = Bun.spawnSync([BINARY, 'check'], options);
    expect([types.exitCode, types.stderr.toString()]).toEqual([0, expect.anything()]);
    write(cwd, { 'mine/local.ts': '// mine' });
    expect(run(cwd, 'plugin', 'init', 'mine').out).toContain('mine/local.ts: left as it is');
    expect(run(cwd, 'plugin', 'check', 'mine/local.ts').err).toContain('it exports nothing to use');
  });

  test('check reports wrong types with their positions, and what the trial throws', () => {
    const cwd = folder();
    const wrong = saying('42').replace('send(call)', "send(call: import('llmproxy').Call)");
    write(cwd, { 'odd.ts': wrong, 'config.yaml': JSON.stringify(CONFIG) });
    const { code, err } = run(cwd, 'plugin', 'check');
    expect(code).toBe(1);
    expect(err).toMatch(/^odd\.ts:5:\d+ error: .*\(TS\d+\)$/m);
    expect(err).toContain('1 problem found');
    write(cwd, { 'odd.ts': "throw new Error('no luck');\nexport {};" });
    expect(run(cwd, 'plugin', 'check').err).toMatch(/odd\.ts: no luck at .*odd\.ts:1:/);
    expect(run(cwd, 'plugin', 'check', 'nothing.ts')).toMatchObject({ code: 2 });
  });
});
