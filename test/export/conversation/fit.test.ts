import { describe, expect, test } from 'bun:test';
import { answered, chat, line, user } from '../records.ts';
import { workshop } from '../workshop.ts';

const says = (content: string) => ({ role: 'assistant', content });

/** Three exchanges of about thirty tokens each, after a system prompt. */
const long = line({
  request: chat([
    { role: 'system', content: 'Be short.' },
    user(`first ${'apple '.repeat(30)}`),
    says('one'),
    user(`second ${'pear '.repeat(30)}`),
    says('two'),
    user('third'),
  ]),
  response: answered({ content: 'three' }),
  input_tokens: 120,
  output_tokens: 2,
});

const texts = (shop: { rows: () => { messages: { content: string }[] }[] }) =>
  shop.rows().map(({ messages }) => messages.map(({ content }) => content.split(' ')[0]));

describe('--max-tokens', () => {
  test('drops longer rows, by the counts of the log if it has them', async () => {
    await using shop = await workshop({ 'a.ndjson': long });
    const { report } = await shop.run('--max-tokens 50');
    expect([report.kept, report.dropped.too_many_tokens?.count]).toEqual([0, 1]);
    expect((await shop.run('--max-tokens 122 --force')).report.kept).toBe(1);
  });

  test('trims the oldest exchanges with --on-long trim-oldest, and keeps system prompt and answer', async () => {
    await using shop = await workshop({ 'a.ndjson': long });
    const { report } = await shop.run('--max-tokens 70 --on-long trim-oldest');
    expect(texts(shop)).toEqual([['Be', 'second', 'two', 'third', 'three']]);
    expect(report.tokens.max).toBeLessThanOrEqual(70);
    await shop.run('--max-tokens 30 --on-long trim-oldest --force');
    expect(texts(shop)).toEqual([['Be', 'third', 'three']]);
    expect(
      (await shop.run('--max-tokens 5 --on-long trim-oldest --force')).report.dropped.too_many_tokens?.count,
    ).toBe(1);
  });

  test('does not lose an answer that is trimmed with the beginning of a longer conversation', async () => {
    const first = line({
      request: chat([{ role: 'system', content: 'Be short.' }, user(`first ${'apple '.repeat(30)}`)]),
      response: answered({ content: 'one' }),
    });
    await using shop = await workshop({ 'a.ndjson': first + long });
    await shop.run('--max-tokens 70 --on-long trim-oldest');
    expect(texts(shop)).toEqual([
      ['Be', 'first', 'one'],
      ['Be', 'second', 'two', 'third', 'three'],
    ]);
  });

  test('counts tokens that the log does not contain, with --count-tokens', async () => {
    await using shop = await workshop({ 'a.ndjson': line({ input_tokens: null, output_tokens: null }) });
    expect((await shop.run()).report.tokens.rows).toBe(0);
    const { tokens } = (await shop.run('--count-tokens --force')).report;
    expect([tokens.rows, tokens.input > 0, tokens.output > 0]).toEqual([1, true, true]);
  });
});

test('the training cost is estimated from the given price, and not at all without one', async () => {
  await using shop = await workshop({ 'a.ndjson': line({ input_tokens: 600_000, output_tokens: 400_000 }) });
  expect((await shop.run()).report.training).toEqual({ epochs: 3 });
  const own = await shop.run('--price-per-mtok 2 --epochs 1 --force');
  expect(own.report.training).toEqual({
    epochs: 1,
    cost: { usd_per_million_tokens: 2, usd: 2 },
  });
});
