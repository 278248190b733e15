import { beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answered, chat, line, user } from '../export/records.ts';
import { BINARY, built } from '../helpers/binary.ts';
import { logDirectory } from '../helpers/log-directory.ts';
import { until } from '../helpers/until.ts';

/** A log large enough that the export uses threads. */
const LOG = Array.from({ length: 9_000 }, (_, n) =>
  line({
    id: `r${n}`,
    model: n % 100 === 0 ? 'gpt-4-rare' : 'gpt-4o',
    request: chat([user(`question ${n}: größer ${'and so on '.repeat(100)}`)]),
    response: answered({ content: `answer ${n} ${'in many words '.repeat(100)}` }),
  }),
).join('');

async function workshop() {
  const dir = await logDirectory();
  mkdirSync(join(dir.path, 'logs'));
  writeFileSync(join(dir.path, 'logs/a.ndjson'), LOG);
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('LLMPROXY_')),
  );
  const spawn = (...args: string[]) =>
    Bun.spawn([BINARY, 'export', ...args], {
      cwd: dir.path,
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    });
  return {
    path: (name: string) => join(dir.path, name),
    spawn,
    async run(...args: string[]) {
      const child = spawn(...args);
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      return { code: await child.exited, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

beforeAll(built, 60_000);

describe('the binary exports', () => {
  test('in several threads the same as in one', async () => {
    await using shop = await workshop();
    const flags = ['-f', 'trl', '--model', 'gpt-4-*', '-q'];
    const one = await shop.run(...flags, '--threads', '0');
    const three = await shop.run(...flags, '--threads', '3');
    expect([one.code, three.code, one.stdout.split('\n').length]).toEqual([0, 0, 91]);
    expect(three.stdout === one.stdout).toBe(true);
  });

  test('a directory that holds a card and a manifest, and checks what it wrote', async () => {
    await using shop = await workshop();
    const { code, stderr } = await shop.run(
      '--successful-only',
      '--split',
      'train=0.9,validation=0.1',
      '--sample',
      '500',
      '-o',
      'data/',
    );
    expect([code, stderr.match(/Wrote 500 rows .* to data\/: \d+ train, \d+ validation/) !== null]).toEqual([
      0,
      true,
    ]);
    expect(readdirSync(shop.path('data')).toSorted()).toEqual([
      'README.md',
      'manifest.json',
      'train.jsonl',
      'validation.jsonl',
    ]);
    const checked = await shop.run('--check', 'data/train.jsonl', '-f', 'trl');
    expect([checked.code, checked.stdout]).toEqual([0, '']);
    writeFileSync(
      shop.path('bad.jsonl'),
      '{"messages":[]}\n{"messages":[{"role":"user","content":"a"}],"messages":[]}\nnothing\n',
    );
    const bad = await shop.run('--check', 'bad.jsonl', '-f', 'trl');
    expect(bad.code).toBe(4);
    expect(bad.stdout).toContain('bad.jsonl:1: messages');
    expect(bad.stdout).toContain('bad.jsonl:2: the key "messages" is given twice in one object');
    expect(bad.stdout).toContain('bad.jsonl:3: is not a JSON object');
    expect(bad.stderr).toMatch(/^Checked 3 rows as trl: \d+ violations in 3 rows\n$/);
  });

  test('Parquet that is read back', async () => {
    await using shop = await workshop();
    expect((await shop.run('--sample', '100', '--parquet', '-o', 'data/')).code).toBe(0);
    const { parquetReadObjects } = await import('hyparquet');
    const file = await Bun.file(shop.path('data/train.parquet')).arrayBuffer();
    const rows = (await parquetReadObjects({ file })) as { messages: { role: string }[]; tools: unknown }[];
    expect(rows).toHaveLength(100);
    expect(rows[0]!.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
    expect(rows[0]!.tools ?? null).toBeNull();
  });

  test('statistics only, as text and as JSON', async () => {
    await using shop = await workshop();
    const words = await shop.run('--stats', '-q');
    expect(words.stdout).toContain('9,000 rows');
    expect(words.stdout).toContain('gpt-4-rare');
    const { stdout } = await shop.run('--stats', '--json', '-q', '--model', 'gpt-4-rare');
    expect(JSON.parse(stdout)).toMatchObject({
      kept: 90,
      models: { 'gpt-4-rare': 90 },
      filtered: { model: 8_910 },
    });
    expect(existsSync(shop.path('exports'))).toBe(false);
  });

  test('nothing when it is stopped, in threads too', async () => {
    await using shop = await workshop();
    mkdirSync(shop.path('out'));
    const child = shop.spawn('logs', 'logs/a.ndjson', '-o', 'out/d/', '--threads', '2');
    await until('the first file', () => readdirSync(shop.path('out')).length, { everyMs: 2 });
    child.kill('SIGINT');
    const code = await child.exited;
    // The export may have completed just before the signal.
    if (code !== 0) expect([code, readdirSync(shop.path('out'))]).toEqual([130, []]);
  });

  test('help within 80 columns that names every flag and format', async () => {
    await using shop = await workshop();
    const { stdout, code } = await shop.run('--help');
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((text) => text.length > 80)).toEqual([]);
    for (const word of ['--near-dup', '--redact', '--split', 'mistral', 'sharegpt', '--check'])
      expect(stdout).toContain(word);
    expect(readFileSync(shop.path('logs/a.ndjson'), 'utf8') === LOG).toBe(true);
  });
});
