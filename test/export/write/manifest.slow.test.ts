import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { answered, chat, line, user } from '../records.ts';
import { says, workshop } from '../workshop.ts';

const files = (shop: { path: (name: string) => string }, name: string) =>
  Object.fromEntries(
    readdirSync(shop.path(name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8')]),
  );

describe('an export', () => {
  const log = Array.from({ length: 3_000 }, (_, n) =>
    line({
      id: `r${n}`,
      model: n % 3 === 0 ? 'gpt-4o' : 'größer',
      request: chat([user(`question ${n % 2_500} 東京 a${n}@b.com`)]),
      response: answered({ content: `${'answer '.repeat(400)}${n}` }),
    }),
  ).join('');

  test('writes the same bytes for the same log and flags, in any number of threads', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    const flags = '--split train=0.8,test=0.2 --redact email --near-dup none --metadata min --force';
    const args = `${flags} -o ${shop.path('d')}/`;
    await shop.run(args);
    const first = files(shop, 'd');
    for (const threads of [1, 3]) {
      // Passed here so that the manifest contains the same arguments.
      await shop.run(args, {}, threads);
      expect(files(shop, 'd')).toEqual(first);
    }
    expect(Object.keys(first).toSorted()).toEqual([
      'README.md',
      'manifest.json',
      'test.jsonl',
      'train.jsonl',
    ]);
  });

  test('reads plain files in parts with the same result as at once', async () => {
    const odd = `${log}{"torn\n\n\r\n${says('crlf').trimEnd()}\r\n${says('last').trimEnd()}`;
    await using shop = await workshop({ 'a.ndjson': odd });
    const one = await shop.run('--model-filter gpt --dedup none');
    const bytes = readFileSync(shop.output, 'utf8');
    const parts = await shop.run('--model-filter gpt --dedup none --force', {}, 2);
    expect(readFileSync(shop.output, 'utf8') === bytes).toBe(true);
    // The exact number of bytes read is only reported if the file is hashed.
    const told = ({ report }: typeof one) => ({ ...report, inputs: [], argv: [] });
    expect(told(parts)).toEqual(told(one));
    expect(parts.report.bad).toEqual({
      not_json: { count: 1, places: [`${shop.path('logs/a.ndjson')}:3001`] },
    });
  });

  test.each(['', '--parquet', '--compress gz', '--shard-size 1KB'])(
    'changes its card exactly if the rows change, since datasets compares it with its cache: %p',
    async (flags) => {
      const logs = [says('a') + says('b'), says('a') + says('c'), says('a') + says('b')];
      const cards: string[] = [];
      for (const log of logs) {
        await using shop = await workshop({ 'a.ndjson': log });
        await shop.run(`${flags} -o ${shop.path('d')}/`);
        cards.push(readFileSync(shop.path('d/README.md'), 'utf8').split('---')[1]!);
      }
      expect(cards[1]).not.toBe(cards[0]!);
      expect(cards[2]).toBe(cards[0]!);
    },
  );

  test('lists its inputs, rows and files with hashes', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') + says('b') });
    await shop.run(`-o ${shop.path('d')}/`);
    const manifest = JSON.parse(readFileSync(shop.path('d/manifest.json'), 'utf8'));
    const sha256 = (data: string) => new Bun.CryptoHasher('sha256').update(data).digest('hex');
    const text = says('a') + says('b');
    expect(manifest.inputs).toEqual([
      { name: shop.path('logs/a.ndjson'), bytes: Buffer.byteLength(text), sha256: sha256(text) },
    ]);
    const rows = readFileSync(shop.path('d/train.jsonl'), 'utf8');
    expect(manifest.outputs).toEqual([
      { path: 'train.jsonl', split: 'train', rows: 2, bytes: Buffer.byteLength(rows), sha256: sha256(rows) },
    ]);
    expect(manifest).toMatchObject({
      kept: 2,
      format: 'trl',
      models: { 'gpt-4o': 2 },
      tokens: { rows: 2, input: 6, output: 10 },
    });
  });
});
