import { describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { answered, asked, chat, feedback, line, user } from '../records.ts';
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

  test('gives the same bytes for the same log and flags, in any number of threads', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    const flags = '--split train=0.8,test=0.2 --redact email --near-dup none --metadata min --force';
    const args = `${flags} -o ${shop.path('d')}/`;
    await shop.run(args);
    const first = files(shop, 'd');
    for (const threads of [1, 3]) {
      // Given here for the manifest to name the same arguments.
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

  test('reads plain files in parts as it reads them in one', async () => {
    const odd = `${log}{"torn\n\n\r\n${says('crlf').trimEnd()}\r\n${says('last').trimEnd()}`;
    await using shop = await workshop({ 'a.ndjson': odd });
    const one = await shop.run('--model-filter gpt --dedup none');
    const bytes = readFileSync(shop.output, 'utf8');
    const parts = await shop.run('--model-filter gpt --dedup none --force', {}, 2);
    expect(readFileSync(shop.output, 'utf8') === bytes).toBe(true);
    // How far a file was read is told to the byte only where it is hashed.
    const told = ({ report }: typeof one) => ({ ...report, inputs: [], argv: [] });
    expect(told(parts)).toEqual(told(one));
    expect(parts.report.bad).toEqual({
      not_json: { count: 1, places: [`${shop.path('logs/a.ndjson')}:3001`] },
    });
  });

  test('names its inputs, rows and files with hashes', async () => {
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

describe('--append-since', () => {
  const answers = (shop: { path: (name: string) => string }, name: string) =>
    readFileSync(shop.path(`${name}/train.jsonl`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((row) => (JSON.parse(row) as { messages: { content: string }[] }).messages.at(-1)!.content);

  test('writes what is new, also when the log was compressed meanwhile', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') + says('b') });
    await shop.run(`-o ${shop.path('one')}/`);
    appendFileSync(shop.path('logs/a.ndjson'), says('c') + says('a'));
    const again = `--append-since ${shop.path('one/manifest.json')}`;
    const { report } = await shop.run(`${again} -o ${shop.path('two')}/`);
    expect(answers(shop, 'two')).toEqual(['c']);
    expect(report.filtered).toEqual({ duplicate: 1, exported_before: 2 });
    const packed = zstdCompressSync(readFileSync(shop.path('logs/a.ndjson')));
    rmSync(shop.path('logs/a.ndjson'));
    writeFileSync(shop.path('logs/a.ndjson.zst'), packed);
    await shop.run(`${again} -o ${shop.path('three')}/`);
    expect(answers(shop, 'three')).toEqual(['c']);
  });

  test('takes a file whose beginning has changed for new', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    await shop.run(`-o ${shop.path('one')}/`);
    writeFileSync(shop.path('logs/a.ndjson'), says('x') + says('y'));
    await shop.run(`--append-since ${shop.path('one/manifest.json')} -o ${shop.path('two')}/`);
    expect(answers(shop, 'two')).toEqual(['x', 'y']);
  });

  test('knows what it had by its bytes, whatever the file is called by now', async () => {
    await using shop = await workshop({ 'a.log': says('a') + says('b'), 'empty.log': '' });
    await shop.run(`-o ${shop.path('one')}/`);
    renameSync(shop.path('logs/a.log'), shop.path('logs/a.log.1'));
    appendFileSync(shop.path('logs/a.log.1'), says('c'));
    writeFileSync(shop.path('logs/a.log'), says('d'));
    const again = `--append-since ${shop.path('one/manifest.json')}`;
    const { report } = await shop.run(`${again} -o ${shop.path('two')}/`);
    expect(answers(shop, 'two')).toEqual(['c', 'd']);
    expect(report.filtered).toEqual({ exported_before: 2 });
    mkdirSync(shop.path('elsewhere'));
    renameSync(shop.path('logs/a.log.1'), shop.path('elsewhere/any.ndjson'));
    await shop.run(`${again} -o ${shop.path('three')}/ ${shop.path('elsewhere')}`);
    expect(answers(shop, 'three')).toEqual(['c']);
  });

  test.each(['--export-all', '--conversations turns --dedup none -f trl-pc'])(
    'leaves out what it had though rows need not wait for each other: %s',
    async (flags) => {
      await using shop = await workshop({ 'a.ndjson': says('a') + says('b') });
      await shop.run(`${flags} --manifest ${shop.path('m.json')}`);
      appendFileSync(shop.path('logs/a.ndjson'), says('c'));
      const { report } = await shop.run(`${flags} --force --append-since ${shop.path('m.json')}`);
      expect([report.kept, report.filtered]).toEqual([1, { exported_before: 2 }]);
    },
  );

  const exchanges =
    asked('1', 'a', 'good') + asked('2', 'a', 'bad') + asked('3', 'b', 'first') + feedback('1', { score: 1 });
  const later = feedback('2', { score: -1 }) + feedback('3', { correction: 'better' });

  test.each([
    ['-f trl-dpo', ['good', 'better']],
    ['-f kto', ['bad', 'first', 'better']],
    ['-f trl-pc --min-score -1', ['bad']],
    ['-f trl-pc --corrections', ['better']],
  ])('writes what was said later of answers that it had: %s', async (flags, expected) => {
    await using shop = await workshop({ 'a.ndjson': exchanges });
    await shop.run(`${flags} -o ${shop.path('one')}/`);
    const again = (name: string) =>
      shop.run(`${flags} --append-since ${shop.path('one/manifest.json')} -o ${shop.path(name)}/`);
    expect((await again('none')).report.kept).toBe(0);
    appendFileSync(shop.path('logs/a.ndjson'), later);
    await again('two');
    const rows = readFileSync(shop.path('two/train.jsonl'), 'utf8').split('\n').filter(Boolean);
    const said = rows.map((row) => {
      const { chosen, completion } = JSON.parse(row) as Record<string, { content: string }[] | undefined>;
      return (chosen ?? completion)![0]!.content;
    });
    expect(said).toEqual(expected);
  });

  test('writes pairs of answers that it had, of which the user went on from one later', async () => {
    const more = { conversation: 'k' };
    const log = asked('1', 'a', 'first', more) + asked('2', 'a', 'second', more);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run(`-f trl-dpo -o ${shop.path('one')}/`);
    const request = chat([user('a'), { role: 'assistant', content: 'second' }, user('and then?')]);
    appendFileSync(shop.path('logs/a.ndjson'), line({ ...more, request }));
    const { report } = await shop.run(
      `-f trl-dpo --append-since ${shop.path('one/manifest.json')} -o ${shop.path('two')}/`,
    );
    expect(report.kept).toBe(1);
  });

  test('is told what is no manifest', async () => {
    await using shop = await workshop({ 'a.ndjson': says('a') });
    await expect(shop.run(`--append-since ${shop.path('logs/a.ndjson')}`)).rejects.toThrow(
      'it is no manifest of an export',
    );
  });
});

/** What a talk of these answers logs: a line for each, with what went before. */
const steps = fc.array(
  fc.record({
    talk: fc.nat(3),
    kind: fc.constantFrom('ask', 'ask', 'ask', 'again', 'rate'),
    good: fc.boolean(),
    answer: fc.nat(2),
  }),
  { minLength: 4, maxLength: 24 },
);

function logOf(all: readonly { talk: number; kind: string; good: boolean; answer: number }[]): string[] {
  const talks = new Map<number, object[]>();
  const ids: string[] = [];
  return all.map(({ talk, kind, good, answer }, index) => {
    const about = ids[talk];
    if (kind === 'rate' && about !== undefined) return feedback(about, { score: good ? 1 : -1 });
    const turns = talks.get(talk) ?? [user(`question ${talk}`)];
    const prompt = kind === 'again' && turns.length > 2 ? turns.slice(0, -2) : turns;
    const content = `answer ${answer}`;
    talks.set(talk, [...prompt, { role: 'assistant', content }, user(`more ${prompt.length}`)]);
    ids[talk] = `r${index}`;
    return line({
      id: `r${index}`,
      conversation: `c${talk}`,
      request: chat(prompt),
      response: answered({ content }),
    });
  });
}

test.each(['trl', 'trl-pc', 'kto', 'trl-dpo', 'trl --min-score 0'])(
  '--append-since and the export before it hold all that one export of all holds, as %s',
  async (flags) => {
    const rowsOf = (path: string) => readFileSync(path, 'utf8').split('\n').filter(Boolean);
    const run = fc.asyncProperty(steps, fc.nat(100), async (all, share) => {
      const log = logOf(all);
      const cut = Math.floor((log.length * share) / 100);
      await using shop = await workshop({ 'a.ndjson': log.slice(0, cut).join('') });
      const to = (name: string) => shop.path(`${name}.jsonl`);
      await shop.run(`-f ${flags} -o ${to('first')} --manifest ${shop.path('m.json')}`);
      appendFileSync(shop.path('logs/a.ndjson'), log.slice(cut).join(''));
      await shop.run(`-f ${flags} -o ${to('more')} --append-since ${shop.path('m.json')}`);
      await shop.run(`-f ${flags} -o ${to('all')}`);
      const [first, more, whole] = ['first', 'more', 'all'].map((name) => rowsOf(to(name)));
      const known = new Set([...first!, ...more!]);
      expect(whole!.filter((row) => !known.has(row))).toEqual([]);
      expect(more!.filter((row) => first!.includes(row))).toEqual([]);
    });
    await fc.assert(run, { numRuns: 25 });
  },
);
