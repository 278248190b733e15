/** The checker of Responses streams finds every fault. */
import { expect, test } from 'bun:test';
import type { ChatChunk, ChatDelta } from '../../src/wire/chat.ts';
import { streamOf } from '../helpers/written.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { responsesClient } from '../../src/wire/responses/client.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';

function good(): JsonObject[] {
  let ids = 0;
  const writer = responsesClient
    .decode({ model: 'm', input: 'Hi' }, { created: 1, newId: () => `n${(ids += 1)}`, memory: NO_MEMORY })
    .stream();
  const said = (delta: ChatDelta, finish_reason: string | null = null): ChatChunk => ({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const chunks = [
    said({ reasoning_content: 'Hm.' }),
    said({ content: 'Hello' }),
    said({
      tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    }),
    said({}, 'tool_calls'),
  ];
  const sse = streamOf(chunks, writer);
  return framesOf(sse, []).map(({ value }) => value!);
}

/** The stream as text, with new sequence numbers unless these are under test. */
function text(events: readonly JsonObject[], renumber = true): string {
  return events
    .map((event, index) => (renumber ? { ...event, sequence_number: index } : event))
    .map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`)
    .join('');
}
const check = (events: readonly JsonObject[], renumber = true) =>
  checkResponsesStream(text(events, renumber)).problems;

test('checkResponsesStream() accepts a valid stream', () => {
  expect(check(good())).toEqual([]);
});

test('checkResponsesStream() notices each missing event', () => {
  const events = good();
  for (let index = 0; index < events.length; index += 1) {
    expect(check(events.toSpliced(index, 1))).not.toEqual([]);
  }
});

test('checkResponsesStream() notices each event that comes twice or too early', () => {
  const events = good();
  for (let index = 0; index < events.length; index += 1) {
    expect(check(events.toSpliced(index, 0, events[index]!))).not.toEqual([]);
    const before = events[index - 1];
    if (before) expect(check(events.toSpliced(index - 1, 2, events[index]!, before))).not.toEqual([]);
  }
});

test.each(['sequence_number', 'output_index', 'content_index', 'summary_index'])(
  'checkResponsesStream() notices a wrong %s',
  (key) => {
    const events = good();
    const places = events.flatMap((event, index) => (typeof event[key] === 'number' ? [index] : []));
    expect(places.length).toBeGreaterThan(3);
    for (const index of places) {
      const event = events[index]!;
      expect(check(events.with(index, { ...event, [key]: Number(event[key]) + 1 }), false)).not.toEqual([]);
    }
  },
);

test.each(['item_id', 'delta', 'text', 'arguments'])('checkResponsesStream() notices a wrong %s', (key) => {
  const events = good();
  const places = events.flatMap((event, index) => (typeof event[key] === 'string' ? [index] : []));
  expect(places.length).toBeGreaterThan(0);
  for (const index of places) {
    expect(check(events.with(index, { ...events[index], [key]: 'other' }))).not.toEqual([]);
  }
});

test('checkResponsesStream() notices an event name that differs from the type', () => {
  const wrong = text(good()).replace('event: response.completed', 'event: completed');
  expect(checkResponsesStream(wrong).problems).not.toEqual([]);
});
