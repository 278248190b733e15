import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { summaryText } from '../../../src/export/report/summary.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

const says = (content: string) => ({ role: 'assistant', content });

/** A record of a conversation: its turns so far, of which the last is the answer. */
function talk(turns: readonly string[], more: object = {}): string {
  const messages = turns.slice(0, -1).map((text, index) => (index % 2 === 0 ? user(text) : says(text)));
  return line({ request: chat(messages), response: answered({ content: turns.at(-1) }), ...more });
}

interface Row {
  readonly messages: { role: string; content: string; weight?: number }[];
}

const texts = ({ messages }: Row) => messages.map(({ content }) => content).join(' ');
const weights = ({ messages }: Row) =>
  messages.filter(({ role }) => role === 'assistant').map(({ weight }) => weight ?? 1);

describe('a conversation of several records', () => {
  const grown = talk(['a', 'b']) + talk(['a', 'b', 'c', 'd']) + talk(['a', 'b', 'c', 'd', 'e', 'f']);

  test('is one row with all turns, and all its logged answers are trained', async () => {
    await using shop = await workshop({ 'a.ndjson': grown });
    const { report } = await shop.run();
    const rows = shop.rows() as Row[];
    expect(rows.map(texts)).toEqual(['a b c d e f']);
    expect(weights(rows[0]!)).toEqual([1, 1, 1]);
    expect(report.filtered).toEqual({ continued: 2 });
  });

  test('keeps its branches', async () => {
    await using shop = await workshop({ 'a.ndjson': `${grown}${talk(['a', 'b', 'x', 'y'])}` });
    await shop.run();
    expect((shop.rows() as Row[]).map(texts)).toEqual(['a b c d e f', 'a b x y']);
  });

  test('does not train answers that the log does not show as successful', async () => {
    const log =
      talk(['a', 'b']) +
      talk(['a', 'edited', 'c', 'd']) +
      talk(['m', 'cut'], { finish: 'length' }) +
      talk(['m', 'cut', 'n', 'o']) +
      talk(['p', 'q'], { model: 'other' }) +
      talk(['p', 'q', 'r', 's']);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('--model gpt-4o --successful-only');
    const rows = shop.rows() as Row[];
    expect(rows.map((row) => [texts(row), weights(row)])).toEqual([
      ['a b', [1]],
      ['a edited c d', [0, 1]],
      ['m cut n o', [0, 1]],
      ['p q r s', [0, 1]],
    ]);
  });

  test('produces no row with such answers if they are to be dropped', async () => {
    const log = talk(['a', 'shown', 'c', 'd']) + talk(['x', 'y']);
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl --unlogged-turns drop');
    expect([report.kept, report.dropped.unlogged_turn?.count]).toEqual([1, 1]);
    expect((await shop.run('-f openai --unlogged-turns drop --force')).report.kept).toBe(1);
    expect((await shop.run('-f trl-pc --force')).report.kept).toBe(2);
    expect((await shop.run('-f trl-pc --unlogged-turns drop --force')).report.kept).toBe(1);
    expect((await shop.run('-f trl-pc --force')).report.kept).toBe(2);
  });

  test('does not lose an answer to a longer conversation that produces no row', async () => {
    const log = talk(['a', 'b']) + talk(['a', 'b', 'c', 'never logged', 'e', 'f']);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl --unlogged-turns drop');
    expect((shop.rows() as Row[]).map(texts)).toEqual(['a b']);
  });

  test('is one row for each answer with --conversations turns, each trained once', async () => {
    await using shop = await workshop({ 'a.ndjson': grown });
    await shop.run('--conversations turns');
    expect((shop.rows() as Row[]).map(weights)).toEqual([[1], [0, 1], [0, 0, 1]]);
  });

  test('is recognized by its id even if the time in its system prompt changes', async () => {
    const at = (time: string, turns: readonly string[]) => {
      const messages = turns.slice(0, -1).map((text, index) => (index % 2 === 0 ? user(text) : says(text)));
      const request = chat([{ role: 'system', content: `It is ${time}.` }, ...messages]);
      return line({ request, response: answered({ content: turns.at(-1) }), conversation: 'k' });
    };
    await using shop = await workshop({
      'a.ndjson': at('nine', ['a', 'b']) + at('ten', ['a', 'b', 'c', 'd']),
    });
    await shop.run();
    expect((shop.rows() as Row[]).map(texts)).toEqual(['It is ten. a b c d']);
  });

  test('is recognized with calls, however the client writes them', async () => {
    const tools = [tool('f')];
    const called = (args: string, content: string | null) => ({
      role: 'assistant',
      content,
      tool_calls: [call('c1', 'f', args)],
    });
    const result = { role: 'tool', tool_call_id: 'c1', content: '1' };
    const first = line({
      request: chat([user('go')], { tools }),
      response: answered(called('{"a":1,"b":[2]}', null), 'tool_calls'),
      finish: 'tool_calls',
    });
    const second = line({
      request: chat([user('go'), called('{ "b": [2], "a": 1 }', ''), result], { tools }),
      response: answered({ content: 'done' }),
    });
    await using shop = await workshop({ 'a.ndjson': first + second });
    const { report } = await shop.run('-f trl');
    expect([report.kept, report.filtered.continued]).toEqual([1, 1]);
  });

  test.each([
    ['q ', 'q'],
    ['q', '\n q\n'],
    ['q\r\nr', 'q\nr'],
    ['q\nr', 'q\r\nr'],
  ])('is recognized if the question %j is sent back as %j', async (asked, again) => {
    for (const answer of ['one\ntwo', 'one\r\ntwo']) {
      const log = talk([asked, 'one\r\ntwo']) + talk([again, answer, 'c', 'd']);
      await using shop = await workshop({ 'a.ndjson': log });
      const { report } = await shop.run('-f trl');
      expect([report.kept, report.filtered, report.dropped]).toEqual([1, { continued: 1 }, {}]);
    }
  });

  test('of Anthropic’s clients is recognized in their own format', async () => {
    const message = (content: unknown, stop = 'end_turn') => ({
      type: 'message',
      role: 'assistant',
      content,
      stop_reason: stop,
    });
    const ask = (messages: unknown[]) => ({ model: 'claude', max_tokens: 9, messages });
    const first = message([
      { type: 'text', text: 'One.' },
      { type: 'text', text: 'Two.' },
    ]);
    const more = { endpoint: 'messages' as const, finish: 'end_turn' };
    const log =
      line({ ...more, request: ask([user('a')]), response: first }) +
      line({
        ...more,
        request: ask([user('a'), { role: 'assistant', content: first.content }, user('b')]),
        response: message([{ type: 'text', text: 'Three.' }]),
      });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--successful-only');
    expect([report.kept, report.filtered.continued, weights(shop.rows()[0] as Row)]).toEqual([1, 1, [1, 1]]);
  });
});

test('collapsing loses no answer that no longer conversation contains, whatever the log', async () => {
  await using shop = await workshop();
  const word = fc.constantFrom('a', 'b', 'c');
  const record = fc.record({
    turns: fc
      .array(word, { minLength: 1, maxLength: 3 })
      .chain((before) => fc.array(word, { minLength: 2 * before.length, maxLength: 2 * before.length })),
    finish: fc.constantFrom('stop', 'stop', 'length'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
      writeFileSync(
        shop.path('logs/a.ndjson'),
        records.map(({ turns, finish }) => talk(turns, { finish })).join(''),
      );
      const { report } = await shop.run('--successful-only --force');
      const kept = (shop.rows() as Row[]).map(texts);
      const good = new Set(
        records.filter(({ finish }) => finish === 'stop').map(({ turns }) => turns.join(' ')),
      );
      for (const answer of good) {
        const held = kept.some((row) => row === answer || row.startsWith(`${answer} `));
        expect(held).toBe(true);
      }
      expect(new Set(kept).size).toBe(kept.length);
      // Trained answers were logged, and are trained once.
      const trained = new Set<string>();
      for (const row of shop.rows() as Row[]) {
        const all = row.messages.map(({ content }) => content);
        for (const [index, { role, weight }] of row.messages.entries()) {
          if (role !== 'assistant') continue;
          const answer = all.slice(0, index + 1).join(' ');
          expect(good.has(answer) && !trained.has(answer)).toBe(weight !== 0);
          trained.add(answer);
        }
      }
      for (const answer of good) expect(trained.has(answer)).toBe(true);
      expect(report.kept).toBe(kept.length);
    }),
    { numRuns: 150 },
  );
});

describe('equal rows', () => {
  test('are written once, unless --dedup none is given', async () => {
    await using shop = await workshop({ 'a.ndjson': talk(['a', 'b']) + talk(['a', 'b']) + talk(['a', 'c']) });
    expect((await shop.run()).report.kept).toBe(2);
    expect((await shop.run('--dedup none --force')).report.kept).toBe(3);
    expect((await shop.run('--dedup prompt --force')).report.kept).toBe(1);
  });

  test('must have equal line ends', async () => {
    const log = talk(['q', 'one\ntwo']) + talk(['q', 'onetwo']) + talk(['q', 'one\ntwo\n']);
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-pc');
    expect([report.kept, report.filtered]).toEqual([2, { duplicate: 1 }]);
  });

  test('must have the same prompt, including white space', async () => {
    await using shop = await workshop({
      'a.ndjson': talk(['q', 'a']) + talk(['q ', 'a']) + talk(['q ', 'a']),
    });
    expect((await shop.run('-f trl-pc')).report.kept).toBe(2);
  });

  test('are written once with --near-dup even if they are only nearly equal', async () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const log = talk(['q', words]) + talk(['q', `${words} more`]) + talk(['q', 'something else altogether']);
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--near-dup 0.8');
    expect([report.kept, report.filtered.near_duplicate]).toEqual([2, 1]);
  });
});

describe('--split', () => {
  const splits = (path: (name: string) => string, out: string) =>
    new Map(
      ['train', 'validation'].flatMap((split) => {
        let text = '';
        try {
          text = readFileSync(path(`${out}/${split}.jsonl`), 'utf8');
        } catch {
          // A split without rows has no file.
        }
        return text
          .split('\n')
          .filter(Boolean)
          .map((row) => [texts(JSON.parse(row) as Row), split] as const);
      }),
    );

  test('keeps each row in its split when the log grows, and a conversation in one split', async () => {
    await using shop = await workshop();
    const first = fc.nat(30).map((n) => `question ${n} ${'about something '.repeat(3)}`);
    const records = fc.array(fc.tuple(first, fc.nat(3), fc.boolean()), { minLength: 2, maxLength: 25 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(records, fc.nat(24), async (all, cut) => {
        const lines = all.map(([asked, answer, grows]) =>
          talk(grows ? [asked, `answer ${answer}`, 'and', `more ${answer}`] : [asked, `answer ${answer}`]),
        );
        const flags = '-f openai --conversations turns --split train=0.6,validation=0.4 --force';
        const [before, after] = [`before${round}`, `after${round}`];
        round += 1;
        writeFileSync(shop.path('logs/a.ndjson'), lines.slice(0, Math.max(1, cut)).join(''));
        await shop.run(`${flags} -o ${shop.path(before)}/`);
        writeFileSync(shop.path('logs/a.ndjson'), lines.join(''));
        await shop.run(`${flags} -o ${shop.path(after)}/`);
        const [old, grown] = [splits(shop.path, before), splits(shop.path, after)];
        for (const [row, split] of old) expect([row, grown.get(row)]).toEqual([row, split]);
        const bySide = new Map<string, string>();
        for (const [row, split] of grown) {
          const root = row.split(' answer ')[0]!;
          expect(bySide.get(root) ?? split).toBe(split);
          bySide.set(root, split);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('reports that all rows begin alike, and on request distinguishes them by their prompts', async () => {
    const log = Array.from({ length: 120 }, (_, n) =>
      talk(['Is it blue?', 'yes', `Is ${n}?`, `no ${n}`]),
    ).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    const flags = `-o ${shop.path('s')}/ --force --split train=0.8,validation=0.2 -f openai`;
    const all = await shop.run(flags);
    expect(Object.values(all.report.splits).toSorted()).toEqual([0, 120]);
    expect(summaryText(all, 's/')).toMatch(/^No row for (train|validation): /m);
    const apart = await shop.run(`${flags} --split-by prompt`);
    expect([apart.emptySplit, apart.report.splits.validation! > 8]).toEqual([undefined, true]);
  });

  test('makes approximately the requested shares, depending on the seed', async () => {
    const log = Array.from({ length: 400 }, (_, n) => talk([`question ${n}`, `answer ${n}`])).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    const count = async (seed: number) => {
      const { report } = await shop.run(
        `-o ${shop.path('s')}/ --force --split train=0.8,validation=0.2 --near-dup none --seed ${seed}`,
      );
      return report.splits.train!;
    };
    const first = await count(1);
    expect(first).toBeGreaterThan(280);
    expect(first).toBeLessThan(360);
    expect(await count(1)).toBe(first);
    expect(await count(2)).not.toBe(first);
  });
});

describe('a selection of rows', () => {
  const log = Array.from({ length: 200 }, (_, n) =>
    talk([`question ${n}`, `answer ${n}`], { model: n % 4 === 0 ? 'a' : 'b' }),
  ).join('');
  const answers = (shop: Awaited<ReturnType<typeof workshop>>) =>
    shop.rows().map(({ messages }) => messages.at(-1)!.content);

  test('at random is the same for the same seed', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('--sample 20');
    const first = answers(shop);
    expect(first).toHaveLength(20);
    await shop.run('--sample 20 --force');
    expect(answers(shop)).toEqual(first);
    await shop.run('--sample 20 --seed 1 --force');
    expect(answers(shop)).not.toEqual(first);
    const { report } = await shop.run('--sample 25% --force');
    expect(report.kept).toBeGreaterThan(25);
    expect(report.kept).toBeLessThan(80);
  });

  test('can be balanced by a field, from the last rows or the first', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('--balance model --per-group 10')).report.models).toEqual({ a: 10, b: 10 });
    await shop.run('--last 2 --force');
    expect(answers(shop)).toEqual(['answer 198', 'answer 199']);
    await shop.run('--max-records 2 --force');
    expect(answers(shop)).toEqual(['answer 0', 'answer 1']);
  });
});
