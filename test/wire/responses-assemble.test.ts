/** Responses that are assembled from the events of a stream, complete or not. */
import { eventsText } from '../../src/wire/long-events.ts';
import { expect, test } from 'bun:test';
import type { Assembler } from '../../src/wire/assembler.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { responseAssembler } from '../../src/wire/responses/assemble.ts';

const begun = {
  type: 'response.created',
  response: { id: 'resp_1', status: 'in_progress', model: 'm', output: [] },
};
const added = (item: JsonObject, at?: number) => ({
  type: 'response.output_item.added',
  item,
  ...(at === undefined ? {} : { output_index: at }),
});
const done = (item: JsonObject, at?: number) => ({ ...added(item, at), type: 'response.output_item.done' });
const said = (delta: string, more: JsonObject = {}) => ({
  type: 'response.output_text.delta',
  delta,
  ...more,
});
const argued = (delta: string, more: JsonObject = {}) => ({
  type: 'response.function_call_arguments.delta',
  delta,
  ...more,
});
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
const call = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'a',
  name: 'f',
  arguments: '',
  status: 'in_progress',
};

function fold(...events: JsonObject[]) {
  const assembler = responseAssembler();
  for (const event of events) assembler.push(event);
  return assembler;
}

test('responseAssembler() returns the response of the last event', () => {
  const response = {
    id: 'resp_1',
    status: 'completed',
    output: [{ ...call, status: 'completed' }],
    usage: { input_tokens: 1, output_tokens: 2 },
  };
  const folded = fold(begun, added(call, 0), argued('{}'), { type: 'response.completed', response });
  expect(folded.result()).toEqual(response);
  expect([folded.finish, folded.finished, folded.usage?.output]).toEqual(['tool_calls', true, 2]);
});

test('responseAssembler() returns the items of a truncated response as far as they came', () => {
  const reasoning = { id: 'rs_1', type: 'reasoning', summary: [] };
  const whole = { ...reasoning, summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'E' };
  const folded = fold(
    begun,
    added(reasoning, 0),
    { type: 'response.reasoning_summary_text.delta', summary_index: 0, output_index: 0, delta: 'Hm.' },
    done(whole, 0),
    added(message, 1),
    said('Hel', { output_index: 1, content_index: 0 }),
    said('lo', { output_index: 1, content_index: 0 }),
    { type: 'response.refusal.delta', output_index: 1, content_index: 1, delta: 'No.' },
    added(call, 2),
    argued('{"a"', { output_index: 2 }),
  );
  expect(folded.result()).toEqual({
    id: 'resp_1',
    status: 'in_progress',
    model: 'm',
    output: [
      whole,
      {
        ...message,
        status: 'incomplete',
        content: [
          { type: 'output_text', text: 'Hello' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
      { ...call, status: 'incomplete', arguments: '{"a"' },
    ],
  });
  expect([folded.finish, folded.finished]).toEqual([null, false]);
});

test('responseAssembler() matches deltas to items by index, by id or by order', () => {
  const other = { ...call, id: 'fc_2', call_id: 'b' };
  const byPlace = fold(
    added(call, 0),
    added(other, 1),
    argued('1', { output_index: 0 }),
    argued('2', { output_index: 1 }),
  );
  const byId = fold(
    added(call),
    added(other),
    argued('1', { item_id: 'fc_1' }),
    argued('2', { item_id: 'fc_2' }),
  );
  const byOrder = fold(
    added(call),
    argued('1'),
    done({ ...call, arguments: '1' }),
    added(other),
    argued('2'),
  );
  for (const folded of [byPlace, byId, byOrder]) {
    const { output } = folded.result() as { output: JsonObject[] };
    expect(output.map(({ call_id, arguments: text }) => [call_id, text])).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  }
});

test('responseAssembler() adds items that were not announced', () => {
  expect(
    fold(
      said('a'),
      done({ ...message, content: [{ text: 'a' }] }),
      done({ type: 'search_results' }),
    ).result(),
  ).toEqual({
    output: [{ ...message, content: [{ text: 'a' }] }, { type: 'search_results' }],
  });
  expect(fold(said('a')).result()).toEqual({
    output: [
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'a' }],
        status: 'incomplete',
      },
    ],
  });
});

test('responseAssembler() accepts arguments in one piece', () => {
  const whole = { type: 'response.function_call_arguments.done', item_id: 'fc_1', arguments: '{}' };
  expect(fold(added(call, 0), whole).result()).toEqual({
    output: [{ ...call, status: 'incomplete', arguments: '{}' }],
  });
});

test.each([
  ['a delta', [added(message, 0), said('')], [said('a')]],
  ['reasoning', [added({ type: 'reasoning' })], [{ type: 'response.reasoning_text.delta', delta: 'a' }]],
  ['arguments', [added(call)], [argued('{')]],
  ['a call in one piece', [added(call)], [done(call)]],
])('responseAssembler() sees content from %s on', (_, before, then) => {
  const folded = fold(begun, ...before);
  expect(folded.content).toBeFalse();
  for (const event of then) folded.push(event);
  expect(folded.content).toBeTrue();
});

test('responseAssembler() keeps the items if the last event has no output', () => {
  const folded = fold(added(call), done({ ...call, arguments: '{}' }), {
    type: 'response.incomplete',
    response: { id: 'resp_1', output: [] },
  });
  expect(folded.result()).toEqual({ id: 'resp_1', output: [{ ...call, arguments: '{}' }] });
  expect(folded.finish).toBe('length');
});

test('responseAssembler().fail() continues the sequence numbers', () => {
  const folded = responseAssembler();
  const numbers = (assembler: Assembler) =>
    [
      ...eventsText(assembler.fail(new ProxyError('server', 'x'), 'r')).matchAll(/"sequence_number":(\d+)/g),
    ].map(([, number]) => Number(number));
  expect(numbers(folded)).toEqual([0, 1]);
  folded.push({ ...begun, sequence_number: 0 });
  folded.push({ ...said('a'), sequence_number: 7 });
  expect(numbers(folded)).toEqual([8, 9]);
  folded.push(said('b'));
  expect(numbers(folded)).toEqual([9, 10]);
  expect(numbers(folded.fresh())).toEqual([9, 10]);
});

test('responseAssembler() limits the number of items with huge indexes', () => {
  const folded = responseAssembler();
  for (let at = 0; at < 5_000; at += 1) folded.push(said('x', { output_index: at * 1e6, content_index: at }));
  expect((folded.result().output as unknown[]).length).toBe(1_024);
});
