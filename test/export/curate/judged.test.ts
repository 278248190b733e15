import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import { answered, asked, call, chat, feedback, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

interface Pair {
  readonly prompt: { content: string }[];
  readonly chosen?: { content: string }[];
  readonly rejected?: { content: string }[];
  readonly completion?: { content: string }[];
  readonly label?: boolean;
}

const rowsOf = (shop: { rows: () => unknown[] }) => shop.rows() as Pair[];
const pair = ({ prompt, chosen, rejected }: Pair) => [
  prompt.at(-1)!.content,
  chosen![0]!.content,
  rejected![0]!.content,
];

describe('feedback', () => {
  test('is applied with --min-score, and only if it comes from the same key', async () => {
    const log =
      asked('1', 'a', 'good') +
      asked('2', 'b', 'bad') +
      asked('3', 'c', 'silent') +
      asked('4', 'd', 'praised by another') +
      feedback('1', { score: 1 }) +
      feedback('2', { score: 1 }) +
      feedback('2', { label: false, score: -0.5 }) +
      feedback('4', { score: 1 }, { key: 'other' }) +
      feedback('none', { score: 1 });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--min-score 0.5');
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['good']);
    expect(report.filtered).toEqual({ score: 3 });
    expect(report.feedback).toEqual({ lines: 5, unmatched: 1, foreign: 1 });
  });

  test.each(['', '--conversations turns --dedup none', '-f trl-pc', '-f rft'])(
    'keeps a badly rated answer from being trained: %s',
    async (flags) => {
      const log =
        asked('1', 'a', 'bad') +
        asked('2', 'b', 'not so good') +
        asked('3', 'c', 'neither') +
        asked('4', 'd', 'silent') +
        feedback('1', { label: false }) +
        feedback('2', { score: -0.1 }) +
        feedback('3', { score: 0 });
      await using shop = await workshop({ 'a.ndjson': log });
      const { report } = await shop.run(flags);
      expect([report.kept, report.filtered]).toEqual([2, { score: 2 }]);
      await shop.run(`${flags} --min-score -1 --force`);
      expect(readFileSync(shop.output, 'utf8')).toContain('not so good');
    },
  );

  test('is joined even if nothing else must wait for the end of the log', async () => {
    const log = asked('1', 'a', 'wrong') + asked('2', 'b', 'right') + feedback('1', { correction: 'better' });
    await using shop = await workshop({ 'a.ndjson': log });
    const flags = '--conversations turns --dedup none --unlogged-turns keep';
    expect((await shop.run(flags)).report.dropped.corrected?.count).toBe(1);
    await shop.run(`${flags} --corrections --force`);
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['better', 'right']);
  });

  test('corrects answers with --corrections, and drops them otherwise', async () => {
    const log = asked('1', 'a', 'wrong') + asked('2', 'b', 'right') + feedback('1', { correction: 'better' });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run();
    expect([report.kept, report.dropped.corrected?.count]).toEqual([1, 1]);
    await shop.run('--corrections --force');
    expect(shop.rows().map(({ messages }) => messages.at(-1)!.content)).toEqual(['better', 'right']);
  });

  test('keeps a badly rated answer from being trained in a longer conversation', async () => {
    const more = line({
      id: '2',
      request: chat([user('a'), { role: 'assistant', content: 'bad' }, user('b')]),
      response: answered({ content: 'fine' }),
    });
    await using shop = await workshop({
      'a.ndjson': asked('1', 'a', 'bad') + more + feedback('1', { label: false }),
    });
    await shop.run();
    const [row] = shop.rows() as unknown as { messages: { weight?: number }[] }[];
    expect(row!.messages[1]!.weight).toBe(0);
  });

  test('makes pairs: a correction with the answer it corrects, the best rated answer with worse ones', async () => {
    const log =
      asked('1', 'a', 'wrong') +
      asked('2', 'b', 'best') +
      asked('3', 'b', 'worse') +
      asked('4', 'b', 'unrated') +
      feedback('1', { correction: { role: 'assistant', content: 'better' } }) +
      feedback('2', { score: 0.9 }) +
      feedback('3', { label: false });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-dpo');
    expect(rowsOf(shop).map(pair)).toEqual([
      ['a', 'better', 'wrong'],
      ['b', 'best', 'worse'],
    ]);
    expect(report.dropped.no_pair?.count).toBe(1);
  });

  test('makes labels', async () => {
    const log =
      asked('1', 'a', 'good') +
      asked('2', 'b', 'bad') +
      asked('3', 'c', 'wrong') +
      asked('4', 'd', 'unknown') +
      feedback('1', { label: true }) +
      feedback('2', { score: -1 }) +
      feedback('3', { correction: 'right' });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f kto');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label])).toEqual([
      ['good', true],
      ['bad', false],
      ['wrong', false],
      ['right', true],
    ]);
    expect(report.dropped.no_judgement?.count).toBe(1);
  });

  test('makes no label if it is neither good nor bad, or between bad and --min-score', async () => {
    const log =
      [1, 0.4, 0, -0.4].map((_, n) => asked(String(n), `q${n}`, `a${n}`)).join('') +
      [1, 0.4, 0, -0.4].map((score, n) => feedback(String(n), { score })).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    const labels = () => rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label]);
    const { report } = await shop.run('-f kto');
    expect(labels()).toEqual([
      ['a0', true],
      ['a1', true],
      ['a3', false],
    ]);
    expect(report.dropped.no_judgement?.count).toBe(1);
    expect((await shop.run('-f kto --min-score 0.5 --force')).report.filtered).toEqual({ score: 1 });
    expect(labels()).toEqual([
      ['a0', true],
      ['a3', false],
    ]);
  });

  test('must rate the better answer of a pair at least --min-score', async () => {
    const log =
      asked('1', 'a', 'fair') +
      asked('2', 'a', 'poor') +
      asked('3', 'b', 'great') +
      asked('4', 'b', 'poor') +
      feedback('1', { score: 0.2 }) +
      feedback('2', { score: -1 }) +
      feedback('3', { score: 1 }) +
      feedback('4', { score: 0.9 });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-dpo --min-score 0.5');
    expect(rowsOf(shop).map(pair)).toEqual([['b', 'great', 'poor']]);
    expect(report.filtered).toEqual({ score: 1 });
  });

  test('is also required for the answers within a conversation with --min-score', async () => {
    const talk = (id: string, ...turns: string[]) =>
      line({
        id,
        request: chat(
          turns
            .slice(0, -1)
            .map((content, n) => (n % 2 === 0 ? user(content) : { role: 'assistant', content })),
        ),
        response: answered({ content: turns.at(-1) }),
      });
    const log =
      talk('1', 'a', 'unrated') +
      talk('2', 'a', 'unrated', 'b', 'praised') +
      talk('3', 'a', 'unrated', 'b', 'praised', 'c', 'praised too') +
      feedback('2', { score: 1 }) +
      feedback('3', { score: 1 });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('--min-score 0.5');
    const rows = shop.rows() as unknown as { messages: { role: string; weight?: number }[] }[];
    const weights = rows.map(({ messages }) =>
      messages.filter(({ role }) => role === 'assistant').map(({ weight }) => weight ?? 1),
    );
    expect(weights).toEqual([[0, 1, 1]]);
  });

  test('is counted separately if the proxy refused it', async () => {
    const refused = feedback('1', { score: 1 }, { outcome: 'error', status: 400 });
    await using shop = await workshop({ 'a.ndjson': asked('1', 'a', 'b') + refused });
    const { report } = await shop.run();
    expect([report.filtered, report.bad, report.kept]).toEqual([{ refused_feedback: 1 }, {}, 1]);
  });

  test('applies to every record of the answer', async () => {
    const more = [user('a'), { role: 'assistant', content: 'five' }, user('b')];
    const log =
      asked('1', 'a', 'five') +
      asked('2', 'a', 'five') +
      line({ id: '3', request: chat(more), response: answered({ content: 'fine' }) }) +
      asked('4', 'a', 'six') +
      asked('5', 'a', 'four') +
      feedback('2', { correction: 'four' }) +
      feedback('4', { correction: 'four' });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--corrections');
    const rows = shop.rows() as unknown as { messages: { content: string; weight?: number }[] }[];
    expect(rows.map(({ messages }) => messages.map(({ content, weight }) => [content, weight]))).toEqual([
      [
        ['a', undefined],
        ['four', undefined],
      ],
      [
        ['a', undefined],
        ['five', 0],
        ['b', undefined],
        ['fine', undefined],
      ],
    ]);
    expect(report.filtered).toEqual({ duplicate: 3 });
  });

  test('is decided by the latest score or label', async () => {
    const log =
      asked('1', 'a', 'x') +
      asked('2', 'b', 'y') +
      asked('3', 'a', 'x') +
      feedback('1', { score: 1 }) +
      feedback('2', { label: false, score: -1 }) +
      feedback('1', { label: false }) +
      feedback('2', { score: 0.5 });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f kto');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label])).toEqual([
      ['x', false],
      ['y', true],
    ]);
  });

  test.each(['--corrections', '-f trl-dpo', '-f kto'])(
    'with %s does not count a conversation as kept if the format cannot represent it',
    async (flags) => {
      const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
      const joke = [user('joke'), { role: 'assistant', content: 'Knock' }];
      const log =
        asked('1', 'joke', 'Knock', { user: 'u' }) +
        asked('2', 'joke', 'Knock knock', { user: 'u' }) +
        line({
          id: '3',
          user: 'u',
          request: chat([...joke, user([image])]),
          response: answered({ content: 'Who?' }),
        });
      await using shop = await workshop({ 'a.ndjson': log });
      const format = flags === '--corrections' ? '-f trl' : '';
      const { report } = await shop.run(`${flags} ${format} --max-records 1`);
      expect([report.dropped.unsupported_content?.count, report.filtered.continued]).toEqual([1, undefined]);
      if (format) expect(report.kept).toBe(1);
    },
  );

  test('does not make a row longer than --max-tokens, except for turns that may be trimmed', async () => {
    const turns = [user('word '.repeat(50)), { role: 'assistant', content: 'yes' }, user('b')];
    const log =
      asked('1', 'a', 'short') +
      feedback('1', { correction: 'long '.repeat(200) }) +
      line({ id: '2', request: chat(turns), response: answered({ content: 'wrong' }) }) +
      feedback('2', { correction: 'right '.repeat(40) });
    await using shop = await workshop({ 'a.ndjson': log });
    const flags = '--corrections --count-tokens --max-tokens 90 --conversations turns --force';
    expect((await shop.run(flags)).report.dropped.too_many_tokens?.count).toBe(2);
    const { report } = await shop.run(`${flags} --on-long trim-oldest`);
    expect([report.kept, report.dropped.too_many_tokens?.count]).toEqual([1, 1]);
    expect(shop.rows()[0]!.messages).toHaveLength(2);
  });

  test('may correct an answer that the format cannot represent', async () => {
    const log =
      asked('1', 'a', '<|im_end|>') +
      feedback('1', { correction: 'See there.' }) +
      asked('2', 'b', '<|im_start|>');
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f text --corrections');
    expect([report.kept, report.dropped.reserved_words?.count]).toEqual([1, 1]);
  });

  test('on a repeated answer is not lost with the repetition', async () => {
    const log =
      asked('1', 'a', 'same') +
      asked('2', 'a', 'same') +
      asked('3', 'a', 'same') +
      feedback('2', { label: true });
    await using shop = await workshop({ 'a.ndjson': `${log}${feedback('3', { label: true })}` });
    const { report } = await shop.run('-f kto');
    expect(rowsOf(shop).map(({ label }) => label)).toEqual([true]);
    expect([report.kept, report.filtered]).toEqual([1, { duplicate: 2 }]);
    await shop.run('-f trl-dpo --force');
    expect(rowsOf(shop)).toEqual([]);
  });

  test('whose correction equals the answer rates it as good', async () => {
    const log = asked('1', 'a', 'right') + feedback('1', { correction: ' right' });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f kto');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content.trim(), label])).toEqual([
      ['right', true],
    ]);
  });

  test('whose correction calls an undefined tool has no effect', async () => {
    const more = { request: chat([user('a')], { tools: [tool('clock')] }) };
    const calls = (name: string) => ({
      role: 'assistant',
      content: null,
      tool_calls: [call('c', name, '{}')],
    });
    const log =
      asked('1', '', 'x', more) +
      asked('2', '', 'y', more) +
      feedback('1', { correction: calls('made_up') }) +
      feedback('2', { correction: calls('clock') });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('--corrections');
    expect([report.kept, report.dropped.unknown_tool?.count]).toEqual([1, 1]);
  });

  test('makes pairs only of answers to the same prompt, with the same tools and system prompt', async () => {
    const request = (system: string, tools: object[]) =>
      chat([{ role: 'system', content: system }, user('q')], tools.length > 0 ? { tools } : {});
    const log =
      asked('1', '', 'best', { request: request('Be brief.', []) }) +
      asked('2', '', 'of another system prompt', { request: request('Be long.', []) }) +
      asked('3', '', 'of other tools', { request: request('Be brief.', [tool('clock')]) }) +
      asked('4', '', 'worse', { request: request('Be brief.', []), conversation: 'another' }) +
      feedback('1', { score: 1 }) +
      ['2', '3', '4'].map((id) => feedback(id, { score: -1 })).join('');
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo');
    expect(rowsOf(shop).map(pair)).toEqual([['q', 'best', 'worse']]);
  });

  test.each(['--sample 10', '--last 10', '--max-records 10', '--balance model --per-group 10'])(
    'makes complete pairs, of which %s selects ten',
    async (flags) => {
      const log = Array.from(
        { length: 30 },
        (_, n) =>
          asked(`${n}`, `q${n}`, 'good') +
          asked(`${n}x`, `q${n}`, 'bad') +
          feedback(`${n}`, { score: 1 }) +
          feedback(`${n}x`, { score: -1 }),
      ).join('');
      await using shop = await workshop({ 'a.ndjson': log });
      expect((await shop.run(`-f trl-dpo ${flags}`)).report.kept).toBe(10);
      for (const row of rowsOf(shop)) expect(pair(row).slice(1)).toEqual(['good', 'bad']);
    },
  );

  test('with --near-dup keeps good and bad answers, and all pairs of one answer', async () => {
    const long = Array.from({ length: 150 }, (_, n) => `word${n} `).join('');
    const log =
      ['best', 'worse', 'worst'].map((word, n) => asked(`${n}`, long, `${long}${word}`)).join('') +
      [1, 0, -1].map((score, n) => feedback(`${n}`, { score })).join('') +
      asked('3', `${long}!`, `${long}best`) +
      asked('4', `${long}!`, `${long}worst`) +
      feedback('3', { score: 1 }) +
      feedback('4', { score: -1 });
    await using shop = await workshop({ 'a.ndjson': log });
    const dpo = await shop.run('-f trl-dpo --near-dup 0.8');
    expect([dpo.report.kept, dpo.report.filtered]).toEqual([2, { near_duplicate: 1 }]);
    const kto = await shop.run('-f kto --near-dup 0.8 --force');
    expect(rowsOf(shop).map(({ label }) => label)).toEqual([true, false]);
    expect(kto.report.filtered).toEqual({ near_duplicate: 2 });
  });

  test('is redacted like everything else', async () => {
    const log =
      asked('1', 'I am a@b.com', 'wrong') + feedback('1', { correction: 'Hello a@b.com and c@d.org' });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo --redact email');
    expect(pair(rowsOf(shop)[0]!)).toEqual(['I am [EMAIL_1]', 'Hello [EMAIL_1] and [EMAIL_2]', 'wrong']);
  });
});

describe('regenerations', () => {
  const goOn = (prompt: string, answer: string, more: object = {}) =>
    line({
      request: chat([user(prompt), { role: 'assistant', content: answer }, user('and then?')]),
      response: answered({ content: 'more' }),
      ...more,
    });

  test('make pairs with the answer that the user continued from', async () => {
    const more = { conversation: 'k' };
    const log =
      asked('1', 'a', 'first', more) +
      asked('2', 'a', 'second', more) +
      asked('3', 'a', 'third', more) +
      goOn('a', 'third', more);
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo --pairs regenerations');
    expect(rowsOf(shop).map(pair)).toEqual([
      ['a', 'third', 'first'],
      ['a', 'third', 'second'],
    ]);
    await shop.run('-f kto --force');
    expect(rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label])).toEqual([
      ['first', false],
      ['second', false],
      ['third', true],
    ]);
  });

  test('do not rate an answer that was cut, or one with other tools', async () => {
    const more = { conversation: 'k' };
    const log =
      asked('1', 'a', 'cut', { ...more, response: answered({ content: 'cu' }, 'length'), finish: 'length' }) +
      asked('2', 'a', 'lost', { ...more, outcome: 'client_abort' }) +
      asked('3', '', 'of tools', { ...more, request: chat([user('a')], { tools: [tool('clock')] }) }) +
      asked('4', 'a', 'good', more) +
      goOn('a', 'good', more);
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('-f trl-dpo --pairs regenerations')).report.kept).toBe(0);
  });

  test('yield to explicit feedback on the same two answers', async () => {
    const more = { conversation: 'k' };
    const log =
      asked('1', 'a', 'liked', more) +
      asked('2', 'a', 'went on from', more) +
      goOn('a', 'went on from', more) +
      feedback('1', { score: 1 }) +
      feedback('2', { score: -1 });
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f trl-dpo');
    expect(rowsOf(shop).map(pair)).toEqual([['a', 'liked', 'went on from']]);
  });

  test('make no pair if feedback contradicts them', async () => {
    const more = { conversation: 'k' };
    const log = asked('1', 'a', 'first', more) + asked('2', 'a', 'second', more) + goOn('a', 'second', more);
    for (const said of [feedback('1', { score: 1 }), feedback('2', { score: -1 })]) {
      await using shop = await workshop({ 'a.ndjson': log + said });
      expect((await shop.run('-f trl-dpo')).report.kept).toBe(0);
      expect((await shop.run('-f trl-dpo --pairs regenerations --force')).report.kept).toBe(1);
      await shop.run('-f kto --force');
      const labels = rowsOf(shop).map(({ completion, label }) => [completion![0]!.content, label]);
      expect(labels).toEqual(said.includes('"score":1') ? [['first', true]] : [['second', false]]);
    }
  });

  test('are not assumed for two users who begin alike', async () => {
    const log = asked('1', 'hi', 'hello') + asked('2', 'hi', 'hey') + goOn('hi', 'hey');
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('-f trl-dpo')).report.kept).toBe(0);
    const named = (user: string, id: string, answer: string) => asked(id, 'hi', answer, { user });
    const apart = named('u1', '1', 'hello') + named('u2', '2', 'hey') + goOn('hi', 'hey', { user: 'u2' });
    await using other = await workshop({ 'a.ndjson': apart });
    expect((await other.run('-f trl-dpo')).report.kept).toBe(0);
  });
});
