/** Tests llmproxy run with scripts in place of the programs: what they receive, and what it returns. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAMS } from '../../src/cli/run/programs.ts';
import { BINARY, built, cleared, folder, runWith, serve } from '../helpers/binary.ts';
import { isUsualAddressTaken } from '../helpers/usual-address.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** With this port, no proxy that is already running on this machine is found. */
const BARE = 'server: { port: 0 }\nproviders: [{ name: mock, type: mock }]\n';
const MOCK = `${BARE}models: { "claude-*": mock, "gpt-*": mock }\n`;

/** A folder with a configuration, and programs that are shell scripts. */
function prepared(script: string, config?: string): { cwd: string; env: Record<string, string> } {
  const cwd = folder();
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  for (const { name } of PROGRAMS) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  if (config !== undefined) writeFileSync(join(cwd, 'config.yaml'), config);
  return {
    cwd,
    env: { PATH: `${bin}:${process.env.PATH}`, HOME: cwd, XDG_STATE_HOME: '', LLMPROXY_KEY: '' },
  };
}

const ASK = 'curl -s "$ANTHROPIC_BASE_URL/v1/models" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"';

/** Waits to be stopped, but not for ever, so that it does not outlive a failed test. */
const WAIT = 'n=0; while [ $n -lt 400 ]; do sleep 0.05; n=$((n+1)); done';

/** A request that is logged. */
const CHAT = `curl -s "$ANTHROPIC_BASE_URL/v1/chat/completions" -d '{"model":"mock","messages":[{"role":"user","content":"x"}]}'`;

describe('llmproxy run', () => {
  test('starts a proxy that answers the program and ends with it, and prints nothing itself', async () => {
    const { cwd, env } = prepared(
      `${CHAT} >/dev/null; ${ASK}; echo; echo "$ANTHROPIC_BASE_URL"; exit 7`,
      MOCK,
    );
    const { code, out, err } = runWith(cwd, env, 'run', 'claude');
    const [models = '', base = ''] = out.trim().split('\n');
    expect([code, err]).toEqual([7, '']);
    expect(JSON.parse(models).data.map(({ id }: { id: string }) => id)).toEqual(['mock']);
    expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(fetch(base)).rejects.toThrow();
    // Existing files of the folder are unchanged.
    expect(readdirSync(cwd).toSorted()).toEqual(['bin', 'config.yaml', 'logs']);
  });

  test('passes on arguments, stdin and the environment unchanged', async () => {
    const { cwd, env } = prepared(
      'for each in "$@"; do echo "<$each>"; done; cat; echo "$MINE ${ANTHROPIC_API_KEY-none}"',
      MOCK,
    );
    const child = Bun.spawn([BINARY, 'run', '--model', 'mock', 'claude', '--', '-p', 'two words', '--json'], {
      cwd,
      env: { ...env, MINE: 'kept', ANTHROPIC_API_KEY: 'sk-other' },
      stdin: new Blob(['from stdin\n']),
      stdout: 'pipe',
      stderr: 'pipe',
    });
    expect(await child.stdout.text()).toBe('<-p>\n<two words>\n<--json>\nfrom stdin\nkept none\n');
    expect(await child.exited).toBe(0);
  });

  test('passes on signals, and ends with the status of the program', async () => {
    const { cwd, env } = prepared(`trap "echo ended; exit 5" TERM; echo begun; ${WAIT}`, MOCK);
    const begin = (program: string) =>
      Bun.spawn([BINARY, 'run', program], { cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const child = begin('claude');
    let text = '';
    for await (const bytes of child.stdout) {
      text += new TextDecoder().decode(bytes);
      if (text === 'begun\n') child.kill('SIGTERM');
    }
    expect([text, await child.exited]).toEqual(['begun\nended\n', 5]);
    const killed = prepared('kill -KILL $$', MOCK);
    expect(runWith(killed.cwd, killed.env, 'run', 'codex').code).toBe(128 + 9);
  });

  test('leaves the terminal to the program, including Ctrl-C', async () => {
    const script = `trap "echo interrupted; exit 3" INT; test -t 0 && test -t 1 && echo tty; ${WAIT}`;
    const { cwd, env } = prepared(script, MOCK);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let shown = '';
    const child = Bun.spawn([BINARY, 'run', 'claude'], {
      cwd,
      env,
      terminal: {
        data(terminal, bytes) {
          const before = shown.includes('tty');
          shown += new TextDecoder().decode(bytes);
          if (!before && shown.includes('tty')) terminal.write('\x03');
        },
        exit: () => end(),
      },
    });
    await ended;
    expect([shown.replaceAll('^C', ''), await child.exited]).toEqual(['tty\r\ninterrupted\r\n', 3]);
  });

  test('uses the proxy that runs at the configured address', async () => {
    const other = folder();
    writeFileSync(
      join(other, 'config.yaml'),
      'providers: [{ name: there, type: mock, models: [claude-there] }]\n',
    );
    const { url } = await serve(other);
    const config = `server: { port: ${new URL(url).port} }\nproviders: [{ name: here, type: mock }]\n`;
    const { cwd, env } = prepared(ASK, config);
    expect(runWith(cwd, env, 'run', '--model', 'claude-there', 'claude').out).toContain('claude-there');
    expect(
      runWith(folder(), env, 'run', '--url', `${url}/v1/`, '--model', 'claude-there', 'claude').out,
    ).toContain('claude-there');
  });

  test.skipIf(isUsualAddressTaken)(
    'needs no configuration, and leaves no files in the working directory',
    () => {
      const { cwd, env } = prepared(`${CHAT} >/dev/null; ${ASK}`);
      writeFileSync(join(cwd, 'config.yaml'), 'site: of another program\n');
      const { code, out } = runWith(cwd, env, 'run', '--model', 'mock', 'claude');
      expect([code, out]).toEqual([0, expect.stringContaining('"mock"')]);
      expect(existsSync(join(cwd, 'logs'))).toBe(false);
      expect(readdirSync(join(cwd, '.local/state/llmproxy'))).toContain('logs');
    },
  );

  test('sends the given key, and reports a missing one', () => {
    const keyed = `${MOCK}auth: { keys: [{ name: me, key_env: MY_KEY }] }\n`;
    const { cwd, env } = prepared(ASK, keyed);
    const key = { ...env, MY_KEY: 'sk-mine-0123456789' };
    const without = runWith(cwd, key, 'run', 'claude');
    expect([without.code, without.err]).toEqual([
      1,
      'Cannot run it without a key: the proxy requires one. Set LLMPROXY_KEY, for example to that of MY_KEY\n',
    ]);
    const given = runWith(cwd, { ...key, LLMPROXY_KEY: key.MY_KEY }, 'run', 'claude');
    expect([given.code, given.out]).toEqual([0, expect.stringContaining('"mock"')]);
    const wrong = runWith(cwd, { ...key, LLMPROXY_KEY: 'sk-other' }, 'run', 'claude');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('Cannot use http://127.0.0.1:')]);
  });

  test.each([
    ['claude', [], 'Cannot run claude: no provider serves claude-sonnet-4-5, which Claude Code requests.'],
    ['claude', ['--model', 'none'], 'Cannot run claude: no provider serves none. It lists mock.'],
    ['goose', [], 'Cannot run goose without a model: name one, as in `llmproxy run --model mock goose`.'],
  ])('%s %j is told what it would ask for in vain', (program, flags, message) => {
    const { cwd, env } = prepared('echo begun', BARE);
    const { code, out, err } = runWith(cwd, env, 'run', ...flags, program);
    expect([code, out, err]).toEqual([1, '', expect.stringContaining(message)]);
  });

  test('explains how to set up an unknown program by hand, and how to install a missing one', () => {
    const unknown = runWith(folder(), {}, 'run', 'cloude');
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('did you mean claude?');
    expect(unknown.err).toContain('\n  OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=KEY cloude\n');
    const missing = runWith(folder(), { PATH: '/nowhere' }, 'run', 'claude');
    expect([missing.code, missing.err]).toEqual([
      127,
      'Cannot find claude. To install Claude Code: npm install -g @anthropic-ai/claude-code\n',
    ]);
  });
});

test.each(PROGRAMS)('$name gets the address, the key and the model', ({ launch }) => {
  const { env, args } = launch({
    base: 'http://127.0.0.1:1',
    key: 'sk-key',
    model: 'a-model',
    models: ['b'],
  });
  const told = JSON.stringify([env, args]);
  for (const word of ['http://127.0.0.1:1', 'sk-key', 'a-model']) expect(told).toContain(word);
});

describe('--dry-run', () => {
  test.each(['--dry-run', '--print'])(
    '%s shows what a program would be run with, without the key',
    (flag) => {
      const { cwd, env } = prepared('echo begun', MOCK);
      const secret = { ...env, LLMPROXY_KEY: 'sk-secret-0123456789' };
      const { code, out } = runWith(cwd, secret, 'run', flag, 'claude', 'an argument');
      expect([code, out]).toEqual([0, expect.stringContaining("'an argument'\n")]);
      expect(out).toContain('export ANTHROPIC_BASE_URL=http://127.0.0.1:8000\n');
      expect(out).toContain("export ANTHROPIC_AUTH_TOKEN='[masked]'\n");
      expect(out).not.toMatch(/begun$|sk-secret/m);
    },
  );

  test('prints what a shell accepts', () => {
    const { cwd, env } = prepared('for each in "$@"; do echo "<$each>"; done', MOCK);
    const { out } = runWith(cwd, env, 'run', '--dry-run', 'codex', "it's");
    const shell = Bun.spawnSync(['sh'], { cwd, env: { ...env }, stdin: new Blob([out]) });
    expect(shell.stdout.toString()).toBe(
      '<-c>\n<model_provider="llmproxy">\n<-c>\n<model_providers.llmproxy={ name = "llmproxy", base_url = ' +
        '"http://127.0.0.1:8000/v1", env_key = "LLMPROXY_KEY", wire_api = "responses" }>\n' +
        "<it's>\n",
    );
  });
});
