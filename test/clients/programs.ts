/**
 * Claude Code and Codex, run headless against the compiled binary: two commands in three turns, whatever the
 * provider. Only loopback is reachable.
 */
import type { Rig } from './rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY, built, cleared } from '../helpers/binary.ts';
import { DIALECTS, setUp } from './rig.ts';
import { SHELL_TOLD } from './script.ts';

const BIN = join(import.meta.dir, 'programs/node_modules/.bin');
const PATIENCE_MS = 60_000;

let rig: Rig;
let home: string;

beforeAll(async () => {
  built();
  rig = await setUp();
  home = mkdtempSync(join(tmpdir(), 'llmproxy-programs-'));
}, 60_000);

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  cleared();
  rmSync(home, { recursive: true, force: true });
});

/** Requests to any other host go to a closed port. */
const ENV = {
  PATH: process.env.PATH!,
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1,localhost',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  IS_SANDBOX: '1',
} as const;

/** Runs a program with an empty home directory. */
async function run(command: readonly string[], env: Record<string, string>): Promise<string> {
  const child = Bun.spawn([join(BIN, command[0]!), ...command.slice(1)], {
    cwd: home,
    env: { ...ENV, HOME: home, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: PATIENCE_MS,
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return `${out}\n${err}`;
}

describe('llmproxy run, with a proxy of its own and the mock', () => {
  const FLAGS: Readonly<Record<string, readonly string[]>> = {
    claude: ['-p'],
    codex: ['exec', '--skip-git-repo-check'],
  };

  test.each(Object.keys(FLAGS))(
    '%s has its answer, and its files are its own',
    async (program) => {
      const cwd = mkdtempSync(join(home, 'run-'));
      const config = 'providers: [{ name: mock, type: mock }]\nmodels: { "claude-*": mock, "gpt-*": mock }\n';
      writeFileSync(join(cwd, 'config.yaml'), config);
      const command = ['run', program, ...FLAGS[program]!, 'Reply with exactly: it works here'];
      const child = Bun.spawn([BINARY, ...command], {
        cwd,
        env: { ...ENV, HOME: cwd, PATH: `${BIN}:${ENV.PATH}` },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        timeout: PATIENCE_MS,
      });
      const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect([await child.exited, out]).toEqual([0, expect.stringContaining('it works here')]);
      expect(err).not.toContain('ERROR');
      expect(existsSync(join(cwd, '.codex/config.toml'))).toBe(false);
      expect(existsSync(join(cwd, '.claude/settings.json'))).toBe(false);
    },
    PATIENCE_MS,
  );
});

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))(
  'answered by %s',
  (name, { model }) => {
    const heard = () => rig.upstreams[name]!.complaints.splice(0);

    test(
      'Claude Code runs its tools',
      async () => {
        const flags = ['--model', model, '--dangerously-skip-permissions', '--output-format', 'json'];
        const said = await run(['claude', '-p', 'scene: shell', ...flags], {
          ANTHROPIC_BASE_URL: rig.url,
          ANTHROPIC_API_KEY: 'sk-k',
          ANTHROPIC_SMALL_FAST_MODEL: model,
        });
        expect(heard()).toEqual([]);
        expect(said).toContain(SHELL_TOLD);
      },
      PATIENCE_MS,
    );

    test(
      'Codex runs its tools',
      async () => {
        const folder = join(home, '.codex');
        mkdirSync(folder, { recursive: true });
        const provider = {
          name: 'proxy',
          base_url: `${rig.url}/v1`,
          env_key: 'PROXY_KEY',
          wire_api: 'responses',
        };
        const table = Object.entries(provider).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
        const head = `model = "${model}"\nmodel_provider = "proxy"\n`;
        writeFileSync(join(folder, 'config.toml'), `${head}[model_providers.proxy]\n${table.join('\n')}\n`);
        const flags = ['--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'];
        const said = await run(['codex', 'exec', ...flags, 'scene: shell'], {
          CODEX_HOME: folder,
          PROXY_KEY: 'k',
        });
        expect(heard()).toEqual([]);
        expect(said).toContain(SHELL_TOLD);
      },
      PATIENCE_MS,
    );
  },
);
