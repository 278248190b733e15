import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { answered, asked, call, chat, feedback, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

interface Row {
  messages: { role: string; content: string; weight?: number }[];
  metadata?: { id?: string; score?: number; output_tokens?: number };
  reward?: number;
}

type Shop = Awaited<ReturnType<typeof workshop>>;
const rowsOf = (shop: Shop) => shop.rows() as unknown as Row[];
const lastOf = (shop: Shop) => rowsOf(shop).map(({ messages }) => messages.at(-1)!.content);

describe('several answers to one request', () => {
  const choice = (index: number, content: string, finish_reason = 'stop') => ({
    index,
    message: { role: 'assistant', content },
    finish_reason,
  });
  const several = (choices: object[], more: object = {}) =>
    line({ response: { ...answered({}), choices }, output_tokens: 30, ...more });

  test('produce a row each, of which one was continued', async () => {
    const wentOn = line({
      request: chat([user('Hi'), { role: 'assistant', content: 'two' }, user('And?')]),
      response: answered({ content: 'on' }),
      user: 'u',
    });
    const log =
      several([choice(1, 'two'), choice(0, 'one'), choice(2, 'three', 'length')], { user: 'u' }) + wentOn;
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run();
    expect(lastOf(shop)).toEqual(['one', 'three', 'on']);
    expect([report.lines, report.further_answers, report.unsuccessful]).toEqual([2, 2, 1]);
    await shop.run('--successful-only --conversations turns --force');
    expect(lastOf(shop)).toEqual(['one', 'two', 'on']);
    // The one that the user continued from is rated better than the other one that finished.
    expect((await shop.run('-f trl-dpo --force')).report.kept).toBe(1);
  });

  test('count as one record if they are invalid', async () => {
    for (const choices of [
      ['user', ''],
      [1, null, []],
    ]) {
      await using shop = await workshop({ 'a.ndjson': several(choices as never[]) });
      const { report } = await shop.run();
      const dropped = Object.values(report.dropped).reduce((sum, { count }) => sum + count, 0);
      expect([report.kept, dropped, report.further_answers]).toEqual([0, 1, 0]);
    }
  });

  test('share tokens and the request, and feedback concerns the first', async () => {
    const log = several([choice(0, 'one'), choice(1, 'two')], { id: 'r1' }) + feedback('r1', { score: -1 });
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl --metadata full');
    expect(lastOf(shop)).toEqual(['two']);
    expect([report.filtered.score, rowsOf(shop)[0]!.metadata?.output_tokens]).toEqual([1, 15]);
  });

  test('are read from Gemini and from completions too; complete records stay complete', async () => {
    const part = (text: string) => ({ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' });
    const gemini = line({
      endpoint: 'gemini',
      request: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
      response: { candidates: [part('one'), part('two')] },
    });
    const completions = line({
      endpoint: 'completions',
      request: { model: 'm', prompt: 'Once', n: 2 },
      response: {
        choices: [
          { index: 0, text: 'a', finish_reason: 'stop' },
          { index: 1, text: 'b', finish_reason: 'stop' },
        ],
      },
    });
    await using shop = await workshop({ 'a.ndjson': gemini + completions });
    await shop.run();
    expect(lastOf(shop)).toEqual(['one', 'two', 'a', 'b']);
    expect((await shop.run('--export-all --force')).report.kept).toBe(2);
  });
});

describe('feedback', () => {
  const log =
    asked('r1', 'a', 'good') +
    asked('r2', 'b', 'fair') +
    asked('r3', 'c', 'nothing said') +
    asked('r4', 'd', 'labelled') +
    feedback('r1', { score: 0.75 }) +
    feedback('r2', { score: 0.25 }) +
    feedback('r4', { label: true });

  test.each(['trl', 'axolotl', 'sharegpt', 'trl-pc', 'rft'])(
    'is in the metadata of rows in the format %s',
    async (format) => {
      await using shop = await workshop({ 'a.ndjson': log });
      await shop.run(`-f ${format} --metadata full`);
      expect(rowsOf(shop).map(({ metadata }) => [metadata!.id, metadata!.score])).toEqual([
        ['r1', 0.75],
        ['r2', 0.25],
        ['r3', undefined],
        ['r4', 1],
      ]);
      await shop.run(`-f ${format} --metadata full --min-score 0.5 --force`);
      expect(rowsOf(shop).map(({ metadata }) => metadata!.score)).toEqual([0.75, 1]);
      await shop.run(`-f ${format} --metadata min --force`);
      expect(readFileSync(shop.output, 'utf8')).not.toContain('score');
    },
  );

  test('is the reward of rft rows, except for that of a correction', async () => {
    await using shop = await workshop({ 'a.ndjson': log });
    await shop.run('-f rft --metadata full');
    expect(rowsOf(shop).map(({ reward }) => reward)).toEqual([0.75, 0.25, undefined, 1]);
    await shop.run(`-f rft --metadata full -o ${shop.path('d')}/ --parquet`);
    const corrected = asked('r1', 'a', 'bad') + feedback('r1', { score: -1, correction: 'right' });
    await using other = await workshop({ 'a.ndjson': corrected });
    await other.run('-f trl --metadata full --corrections');
    expect([lastOf(other), rowsOf(other)[0]!.metadata?.score]).toEqual([['right'], undefined]);
  });
});

test.each(['sharegpt', 'mistral'])('rows of %s without a text beside calls are counted', async (format) => {
  const calling = (content: string | null) =>
    line({
      request: chat([user(`q ${content}`)], { tools: [tool('f')] }),
      response: answered({ content, tool_calls: [call('c', 'f', '{}')] }, 'tool_calls'),
      finish: 'tool_calls',
    });
  await using shop = await workshop({ 'a.ndjson': calling('I will look.') + calling(null) + calling('') });
  const { report } = await shop.run(`-f ${format}`);
  expect([report.kept, report.omitted_text]).toEqual([3, 1]);
  expect((await shop.run(`-f trl --force`)).report.omitted_text).toBe(0);
});
