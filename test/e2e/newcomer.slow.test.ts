/**
 * Runs the README's commands as a new user would: in a clean clone, and in an empty folder with only the
 * binary. The test fails if the README shows a command that has no step here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fences, ROOT } from '../docs/pages.ts';
import { BINARY, built } from '../helpers/binary.ts';
import { until } from '../helpers/until.ts';
import { isUsualAddressTaken } from '../helpers/usual-address.ts';

const home = mkdtempSync(join(tmpdir(), 'llmproxy-newcomer-'));
const children: Bun.Subprocess[] = [];

beforeAll(built, 60_000);
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Nothing from the user who runs the tests: no keys, no configuration, and a separate home directory. */
const ENV: Readonly<Record<string, string>> = {
  PATH: `${join(home, 'bin')}:${process.env.PATH}`,
  HOME: home,
  LLMPROXY_DISCOVER_MODELS: 'false',
};

/** The README's shell lines, without comments. */
const LINES = fences('README.md', 'sh')
  .flatMap((text) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

interface Serving {
  readonly url: string;
  /** Its output so far. */
  readonly said: () => string;
  stop(): Promise<number>;
}

/** Runs a line that starts a server, on a free port instead of the default one. */
async function serving(line: string, cwd: string): Promise<Serving> {
  const command = line.startsWith('make ') ? `${line} ARGS="--port 0"` : `${line} --port 0`;
  // A shell does not forward signals to its child; make does.
  const child = Bun.spawn(['sh', '-c', exec(command)], {
    cwd,
    env: { ...ENV },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  children.push(child);
  let out = '';
  let err = '';
  const reading = (async () => {
    for await (const bytes of child.stdout) out += new TextDecoder().decode(bytes);
  })();
  void (async () => {
    for await (const bytes of child.stderr) err += new TextDecoder().decode(bytes);
  })();
  const url = await until(
    `\`${line}\` to listen`,
    () => /listening on (http:\S+)/.exec(out)?.[1] ?? (child.exitCode === null ? undefined : `ended: ${err}`),
    { withinMs: 60_000 },
  );
  return {
    url,
    said: () => err,
    async stop() {
      child.kill('SIGTERM');
      await reading;
      return await child.exited;
    },
  };
}

/** Replaces the shell with the command, keeping variables before it. */
function exec(command: string): string {
  return command.replace(/^((?:[A-Z_]+=\S* )*)/, '$1exec ');
}

function shell(line: string, cwd: string, more: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(['sh', '-c', line], { cwd, env: { ...ENV, ...more } });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

const USUAL = 'http://127.0.0.1:8000';

test('every command of the README is tried here', () => {
  const told = LINES.filter((line) => !STEPS.has(line) && !NOT_HERE.test(line));
  expect(told).toEqual([]);
});

/** Commands that need the network, or are running this test. */
const NOT_HERE = /^(?:npx|npm|brew) |^make test$/;

const STEPS = new Set([
  'make serve',
  'make build',
  `curl ${USUAL}/v1/chat/completions  -H 'content-type: application/json'  -d '{"model": "mock", "messages": [{"role": "user", "content": "Hello"}]}'`,
  'llmproxy run claude',
  'llmproxy run --model mock codex',
  'OPENAI_API_KEY=... ANTHROPIC_API_KEY=... llmproxy serve',
  'llmproxy config validate',
  'llmproxy explain smart',
  'llmproxy doctor',
  'llmproxy health',
  'llmproxy export --successful-only --output dataset.jsonl',
  'llmproxy export --stats --since 30d',
  'llmproxy export --preview 3 --since 30d',
  'llmproxy export --successful-only --split train=0.9,validation=0.1 -o dataset/',
]);

/** The line with this beginning. @throws if the README has none, so that no step outlives its line */
function line(beginning: string): string {
  const found = LINES.find((each) => each.startsWith(beginning));
  if (found === undefined) throw new Error(`the README has no line that begins with ${beginning}`);
  return found;
}

/** What new users try first: the README's request, its TypeScript example, and the page. */
async function tryOut(url: string, cwd: string): Promise<void> {
  const { code, out } = shell(`${line('curl ').replace(USUAL, url)} -sS`, cwd);
  expect(code).toBe(0);
  expect(JSON.parse(out).choices[0].message.content).toStartWith('You said: Hello. This is');
  const script = join(cwd, 'readme.ts');
  writeFileSync(script, fences('README.md', 'ts')[0]!.replaceAll(USUAL, url));
  if (!existsSync(join(cwd, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules'), join(cwd, 'node_modules'));
  const run = Bun.spawnSync([process.execPath, '--no-env-file', script], { cwd, env: { ...ENV } });
  expect(run.stdout.toString()).toStartWith('You said: Hello. This is');
  const page = await fetch(`${url}/`, { headers: { accept: 'text/html' } });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<html')]);
}

describe('in a clean clone', () => {
  const clone = join(home, 'clone');

  test('make serve answers the README’s requests', async () => {
    const cloned = Bun.spawnSync(['git', 'clone', '--quiet', ROOT, clone]);
    expect(cloned.stderr.toString()).toBe('');
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    const { url, said, stop } = await serving(line('make serve'), clone);
    await tryOut(url, clone);
    expect(said()).toContain('mock      mock  on     config file');
    rmSync(join(clone, 'readme.ts'));
    // make reports the signal that ends it.
    await stop();
    const left = Bun.spawnSync(['git', '-C', clone, 'status', '--porcelain']).stdout.toString();
    expect(left.replace('?? node_modules\n', '')).toBe('');
  }, 120_000);

  test('make build compiles one file that runs by itself', () => {
    const { code, err } = shell(line('make build'), clone);
    expect([code, err]).toEqual([0, expect.anything()]);
    const alone = mkdtempSync(join(home, 'alone-'));
    expect(shell(`${join(clone, 'dist/llmproxy')} --version`, alone).out).toMatch(/^llmproxy \d/);
  }, 300_000);
});

describe('in an empty folder with the binary alone', () => {
  const cwd = join(home, 'work');

  beforeAll(() => {
    mkdirSync(cwd);
    mkdirSync(join(home, 'bin'));
    symlinkSync(BINARY, join(home, 'bin/llmproxy'));
    for (const [name, script] of [
      ['claude', 'curl -sS "$ANTHROPIC_BASE_URL/v1/models"'],
      ['codex', 'echo "$@"'],
    ]) {
      writeFileSync(join(home, 'bin', name!), `#!/bin/sh\n${script}\n`);
      chmodSync(join(home, 'bin', name!), 0o755);
    }
  });

  test('it serves, answers, shows its health, and exports its log as a dataset', async () => {
    const { url, said, stop } = await serving('llmproxy serve', cwd);
    await tryOut(url, cwd);
    await until('the message about keys', () => said().includes("No provider's key is in the environment"));
    const health = shell(`${line('llmproxy health')} --url ${url}`, cwd);
    expect([health.code, health.out]).toEqual([0, expect.stringContaining('healthy')]);
    expect(await stop()).toBe(0);

    expect(shell(line('llmproxy export --successful-only --output'), cwd).code).toBe(0);
    const [row] = readFileSync(join(cwd, 'dataset.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(row!).messages[0]).toEqual({ role: 'user', content: 'Hello' });
    expect(shell(line('llmproxy export --stats'), cwd).code).toBe(0);
    expect(shell(line('llmproxy export --preview'), cwd).out).toContain('Hello');
    expect(shell(line('llmproxy export --successful-only --split'), cwd).code).toBe(0);
    expect(readdirSync(join(cwd, 'dataset'))).toContain('README.md');
  }, 120_000);

  test.skipIf(isUsualAddressTaken)(
    'llmproxy run starts programs with a proxy that ends with them',
    () => {
      const refused = shell(line('llmproxy run claude'), cwd);
      expect([refused.code, refused.err]).toEqual([
        1,
        expect.stringContaining('llmproxy run --model mock claude'),
      ]);
      const claude = shell(line('llmproxy run claude').replace('run', 'run --model mock'), cwd);
      expect(JSON.parse(claude.out).data).toMatchObject([{ id: 'mock' }]);
      const codex = shell(line('llmproxy run --model mock codex'), cwd);
      expect([codex.code, codex.out]).toEqual([0, expect.stringContaining('model="mock"')]);
    },
    60_000,
  );

  test('keys in the environment are enough', async () => {
    const { said, stop } = await serving(line('OPENAI_API_KEY='), cwd);
    await until('the startup message', () => said().includes('Request log'));
    expect(said()).toMatch(/^openai +openai +on +OPENAI_API_KEY is set$/m);
    expect(said()).toMatch(/^anthropic +anthropic +on +ANTHROPIC_API_KEY is set$/m);
    expect(await stop()).toBe(0);
  }, 60_000);

  test('the README’s configuration is valid and explained', () => {
    const folder = mkdtempSync(join(home, 'config-'));
    writeFileSync(join(folder, 'config.yaml'), fences('README.md', 'yaml')[0]!);
    const keys = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-ant-1' };
    const valid = shell(line('llmproxy config validate'), folder, keys);
    expect([valid.code, valid.out, valid.err]).toEqual([0, 'config.yaml is valid\n', '']);
    const explained = shell(line('llmproxy explain'), folder, keys);
    expect([explained.code, explained.out]).toEqual([0, expect.stringContaining('claude/claude-sonnet-4-5')]);
    // The globs match the models that the README says they match.
    for (const [model, target] of [
      ['claude-opus-4-8', 'claude/claude-opus-4-8'],
      ['gpt-6.2-sol', 'openai/gpt-6.2-sol'],
    ])
      expect(shell(`llmproxy explain ${model}`, folder, keys).out).toMatch(new RegExp(`^1 +${target} `, 'm'));
  }, 60_000);

  test('config init writes a valid file, and the doctor finds nothing wrong', () => {
    const folder = mkdtempSync(join(home, 'init-'));
    expect(shell('llmproxy config init', folder).code).toBe(0);
    expect(shell(line('llmproxy config validate'), folder).code).toBe(0);
    expect(shell(line('llmproxy doctor'), folder).out).toContain('config.yaml is valid');
  }, 60_000);
});
