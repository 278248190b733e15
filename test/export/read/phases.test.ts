/** Answers of OpenAI's Responses in several messages: commentary on the way to the answer, and the answer. */
import { expect, test } from 'bun:test';
import type { Exchange } from '../records.ts';
import { line } from '../records.ts';
import { rowOf, workshop } from '../workshop.ts';

const said = (text: string, phase?: string | null) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
  ...(phase === undefined ? {} : { phase }),
});
const thought = (text: string) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ type: 'summary_text', text }],
  encrypted_content: 'AAAA',
});
const called = (id: string) => ({ type: 'function_call', call_id: id, name: 'look', arguments: '{}' });
const given = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'seen' });
const asked = (text: string) => ({ role: 'user', content: text });

const exchange = (input: readonly object[], output: readonly object[], more: Exchange = {}): Exchange => ({
  endpoint: 'responses',
  model: 'gpt-5.4',
  request: {
    model: 'gpt-5.4',
    input,
    tools: [{ type: 'function', name: 'look', description: 'Looks', parameters: { type: 'object' } }],
  },
  response: { id: 'resp_1', object: 'response', status: 'completed', output },
  ...more,
});

/** The messages of the model in the row of an exchange: their texts, and whether they call. */
function spoken(one: Exchange): unknown {
  const row = rowOf(one);
  if (typeof row === 'string') return row;
  const { messages } = row as { messages: { role: string; content: string; tool_calls?: unknown }[] };
  return messages
    .filter(({ role }) => role === 'assistant')
    .map(({ content, tool_calls: calls }) => (calls ? [content, 'calls'] : content));
}

test.each<[string, readonly object[], unknown]>([
  ['commentary before the answer', [said('Wait.', 'commentary'), said('42.', 'final_answer')], ['42.']],
  ['the same text twice', [said('42.', 'commentary'), said('42.', 'final_answer')], ['42.']],
  [
    'a phase that is not known yet',
    [said('Hm.', 'analysis'), thought('Sum.'), said('42.', 'final_answer')],
    ['42.'],
  ],
  [
    'an answer in two messages',
    [said('42.', 'final_answer'), said('Or 43.', 'final_answer')],
    ['42.\n\nOr 43.'],
  ],
  ['messages without a phase', [said('First.'), said('Second.', null)], ['First.\n\nSecond.']],
  ['commentary alone', [said('One.', 'commentary'), said('Two.', 'commentary')], ['One.\n\nTwo.']],
  [
    'commentary beside calls',
    [said('I look.', 'commentary'), thought('Sum.'), said('Twice.', 'commentary'), called('a')],
    [['I look.\n\nTwice.', 'calls']],
  ],
  ['an empty message', [said('', 'commentary'), said('42.', 'final_answer')], ['42.']],
])('%s', (_, output, expected) => {
  expect(spoken(exchange([asked('?')], output))).toEqual(expected);
  // The same turn within the prompt of the next request.
  const results = output.flatMap((item) => ('call_id' in item ? [given(String(item.call_id))] : []));
  const next = exchange([asked('?'), ...output, ...results, asked('And?')], [said('Yes.', 'final_answer')]);
  expect(spoken(next)).toEqual([...(expected as unknown[]), 'Yes.']);
});

test('commentary alone is not a complete answer', async () => {
  const log = [
    [said('One.', 'commentary'), thought('Sum.')],
    [said('Two.')],
    [said('3.', 'commentary'), called('a')],
  ];
  const lines = log.map((output, n) => line(exchange([asked(`${n}?`)], output)));
  await using shop = await workshop({ 'a.ndjson': lines.join('') });
  const { report } = await shop.run('--successful-only -f openai');
  expect([report.kept, report.filtered.unfinished]).toEqual([2, 1]);
});

test('a turn ends at results, and so does its commentary', () => {
  const input = [asked('?'), said('I look.', 'commentary'), called('a'), given('a')];
  const output = [said('Nearly.', 'commentary'), said('Seen.', 'final_answer')];
  expect(spoken(exchange(input, output))).toEqual([['I look.', 'calls'], 'Seen.']);
});

test('messages of a client have a text in place of parts', () => {
  const input = [
    asked('?'),
    { role: 'assistant', phase: 'commentary', content: 'Wait.' },
    { role: 'assistant', phase: 'final_answer', content: '42.' },
    { role: 'assistant', content: 'Or 43.' },
    asked('And?'),
  ];
  expect(spoken(exchange(input, [said('Yes.')]))).toEqual(['42.\n\nOr 43.', 'Yes.']);
});

test('commentary is kept with the reasoning, and the conversation stays one', async () => {
  const first = [thought('Sum.'), said('Wait.', 'commentary'), thought('More.'), said('42.', 'final_answer')];
  const log = [
    line(exchange([asked('?')], first)),
    line(exchange([asked('?'), ...first, asked('And?')], [said('Yes.', 'final_answer')])),
  ];
  await using shop = await workshop({ 'a.ndjson': log.join('') });
  const { report } = await shop.run('--successful-only -f trl');
  expect([report.kept, report.dropped]).toEqual([1, {}]);
  const { messages } = shop.rows()[0]! as unknown as { messages: object[] };
  expect(messages).toEqual([
    { role: 'user', content: '?' },
    { role: 'assistant', content: '42.', reasoning_content: 'Sum.\n\nWait.\n\nMore.' },
    { role: 'user', content: 'And?' },
    { role: 'assistant', content: 'Yes.' },
  ]);
});
