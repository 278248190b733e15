/**
 * Claude Code and Codex, run headless before the compiled binary: two commands in three turns, whichever provider
 * answers. Nothing but loopback can be reached.
 */
import type { Rig } from './rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built, cleared } from '../helpers/binary.ts';
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

/** Runs a program in an empty home. What is not on loopback would go to a closed port. */
async function run(command: readonly string[], env: Record<string, string>): Promise<string> {
  const child = Bun.spawn([join(BIN, command[0]!), ...command.slice(1)], {
    cwd: home,
    env: {
      PATH: process.env.PATH!,
      HOME: home,
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1,localhost',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      IS_SANDBOX: '1',
      ...env,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: PATIENCE_MS,
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return `${out}\n${err}`;
}

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
