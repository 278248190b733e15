/**
 * Screens as people see them, in files beside this test. `UPDATE_GOLDEN=1` rewrites them. The help texts are
 * those of docs/cli.md, which `make docs` writes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, cleared, folder, serveConfig } from '../helpers/binary.ts';
import { expectGolden } from '../helpers/golden.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';
import { screenOf, steady, tooWide } from '../helpers/screen.ts';

beforeAll(built, 60_000);
afterAll(cleared);

/** Expects a screen to equal a file. */
async function expectScreen(name: string, ...typed: Parameters<typeof screenOf>): Promise<void> {
  const screen = steady(await screenOf(...typed));
  expect(tooWide(screen)).toEqual([]);
  expectGolden(join(import.meta.dir, `${name}.txt`), screen);
}

describe('llmproxy config validate', () => {
  const BROKEN = join(import.meta.dir, 'broken');
  // The extension .txt keeps formatters away from them.
  test.each(readdirSync(BROKEN).map((file) => file.replace(/\.txt$/, '')))('%s', async (name) => {
    const cwd = folder();
    copyFileSync(join(BROKEN, `${name}.txt`), join(cwd, name));
    await expectScreen(`validate/${name.replace(/\.\w+$/, '')}`, { cwd, args: ['config', 'validate', name] });
  });
});

describe('the help in docs/cli.md', () => {
  const page = readFileSync(join(import.meta.dir, '../../docs/cli.md'), 'utf8');
  const sections = [...page.matchAll(/^## llmproxy(.*)\n\n```text\n([\s\S]*?)\n```$/gm)];

  test('is the output of every command in a terminal', async () => {
    expect(sections.length).toBeGreaterThan(25);
    const cwd = folder();
    const wrong: string[] = [];
    for (const [, name = '', text] of sections) {
      const args = ['help', ...name.split(' ').filter(Boolean)];
      const shown = await screenOf({ cwd, args });
      if (shown !== `$ llmproxy ${args.join(' ')}\n${text}\n(exit 0)\n` || tooWide(shown).length > 0)
        wrong.push(name);
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test.each([40, 200])(
    'a terminal of %d columns shows it within its width, or within 80',
    async (columns) => {
      for (const name of ['', 'keys create', 'export']) {
        const args = [...name.split(' ').filter(Boolean), '--help'];
        expect(tooWide(await screenOf({ cwd: folder(), args, columns }), Math.min(columns, 80))).toEqual([]);
      }
    },
  );
});

test('llmproxy providers', async () => {
  await expectScreen('providers', { cwd: folder(), args: ['providers'] });
  await expectScreen('providers-gemini', { cwd: folder(), args: ['providers', 'gemini'] });
});

test('llmproxy health', async () => {
  const { url } = await serveConfig({
    providers: [
      { name: 'mock', type: 'mock' },
      { name: 'off', type: 'gemini', api_key_env: 'NOT_SET' },
    ],
  });
  await expectScreen('health', { cwd: folder(), args: ['health'], env: { LLMPROXY_URL: url } });
  await expectScreen('health-nobody', { cwd: folder(), args: ['health', '--url', 'http://127.0.0.1:1'] });
});

test('llmproxy doctor', async () => {
  const cwd = folder();
  // Its report must not depend on this machine.
  const steadily = { server: { port: 0 }, limits: { max_concurrent: 10 } };
  const write = (config: object) =>
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify({ ...steadily, ...config }));
  write({ providers: [{ name: 'mock', type: 'mock' }] });
  await expectScreen('doctor-well', { cwd, args: ['doctor'] });
  writeFileSync(join(cwd, 'file'), '');
  const closed = 'http://127.0.0.1:1/v1';
  const providers = [
    { name: 'mock', type: 'mock' },
    { name: 'openai', type: 'openai', api_key_env: 'NOT_SET' },
    { name: 'local', type: 'ollama', models: ['*'], base_url: closed },
    { name: 'a-name-that-takes-a-lot-of-room', type: 'openai-compatible', models: ['m'], base_url: closed },
  ];
  write({ providers, logging: { requests: { directory: 'file' } } });
  await expectScreen('doctor', { cwd, args: ['doctor'], env: { HTTPS_PROXY: 'no-address' } });
});

test('llmproxy usage and export --stats', async () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'logs'));
  const records = [
    logRecord(),
    logRecord({
      id: 'req-2',
      model: 'large',
      provider: 'openai',
      upstream_model: 'gpt-4o',
      cost: 1.25,
      input_tokens: 90_000,
      output_tokens: 1_200,
      key: 'alice',
    }),
    logRecord({
      id: 'req-3',
      model: 'large',
      provider: 'openai',
      upstream_model: 'gpt-4o',
      outcome: 'error',
      status: 503,
      cost: null,
      fault: 'overloaded',
    }),
  ];
  writeFileSync(join(cwd, 'logs/llmproxy-2026-03-04.ndjson'), records.map(encodeRecord).join(''));
  await expectScreen('usage', { cwd, args: ['usage'] });
  await expectScreen('usage-by-key', { cwd, args: ['usage', '--by', 'key,day'] });
  await expectScreen('export-stats', { cwd, args: ['export', '--stats', '--progress', 'never'] });
});

test('invalid flags and arguments', async () => {
  for (const [name, args] of [
    ['refused-argument', ['serve', 'my.yaml']],
    ['refused-flag', ['serve', '--prot', '80']],
    ['refused-command', ['validate']],
  ] as const)
    await expectScreen(name, { cwd: folder(), args });
});
