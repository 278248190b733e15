/** Answers of the Responses API as chat answers, with and without streaming. */
import { describe, expect, test } from 'bun:test';
import type { ChatChunk } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { classifyBody } from '../../src/wire/classify.ts';
import { decodeResponse } from '../../src/wire/responses/response.ts';
import { ResponsesReader } from '../../src/wire/responses/stream.ts';

/** Perplexity’s search has no id. */
const search = { id: 'search_results', name: 'web_search' };

const remembered = new Map<string, JsonObject>();
const memory = {
  get: (id: string) => remembered.get(id),
  set: (id: string, value: JsonObject) => remembered.set(id, value),
};
const context = { created: 7, model: 'asked', memory, newId: () => 'new' };

const message = (...content: JsonObject[]) => ({ id: 'msg_1', type: 'message', role: 'assistant', content });
const text = (words: string, more: JsonObject = {}) => ({ type: 'output_text', text: words, ...more });
const fn = (id: string, args = '{"a":1}') => ({
  id: `fc_${id}`,
  type: 'function_call',
  call_id: id,
  name: 'f',
  arguments: args,
});
const reasoning = {
  id: 'rs_1',
  type: 'reasoning',
  summary: [
    { type: 'summary_text', text: 'One.' },
    { type: 'summary_text', text: 'Two.' },
  ],
  encrypted_content: 'E',
};
const block = { type: 'encrypted', id: 'rs_1', summary: reasoning.summary, encrypted_content: 'E' };
const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 3 },
  total_tokens: 17,
};
const chatUsage = {
  prompt_tokens: 10,
  completion_tokens: 7,
  total_tokens: 17,
  prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
  completion_tokens_details: { reasoning_tokens: 3 },
};
const response = (output: unknown, more: JsonObject = {}) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 3,
  status: 'completed',
  model: 'm',
  output,
  usage,
  ...more,
});

describe('decodeResponse()', () => {
  test('returns text, reasoning and calls', () => {
    expect(
      decodeResponse(response([reasoning, message(text('Hel'), text('lo')), fn('a'), fn('b', '')]), context),
    ).toEqual({
      id: 'resp_1',
      object: 'chat.completion',
      created: 3,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            refusal: null,
            reasoning_content: 'One.\n\nTwo.',
            thinking_blocks: [block],
            tool_calls: [
              { id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
              { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: chatUsage,
    });
  });

  test.each([
    [response([message(text('a'))]), 'stop'],
    [response([message(text('a'))], { status: undefined }), 'stop'],
    [response([fn('a')]), 'tool_calls'],
    [response([], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }), 'length'],
    [
      response([], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      'content_filter',
    ],
    [response([], { status: 'incomplete' }), 'length'],
  ])('maps the status to a finish reason (case %#)', (body, finish) => {
    expect(decodeResponse(body, context).choices[0]?.finish_reason).toBe(finish);
  });

  test('returns a refusal', () => {
    const { choices } = decodeResponse(response([message({ type: 'refusal', refusal: 'No.' })]), context);
    expect(choices[0]?.message).toEqual({ role: 'assistant', content: '', refusal: 'No.' });
  });

  test('returns citations with offsets into the complete text', () => {
    const note = { type: 'url_citation', url: 'https://x.test', title: 'X', start_index: 0, end_index: 2 };
    const other = { type: 'file_citation', file_id: 'f' };
    const content = [
      text('Hel'),
      text('lo', { annotations: [note, other, { type: 'url_citation', url: 'u' }] }),
    ];
    expect(decodeResponse(response([message(...content)]), context).choices[0]?.message.annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { url: 'https://x.test', title: 'X', start_index: 3, end_index: 5 },
      },
      { type: 'url_citation', url_citation: { url: 'u', title: '', start_index: 3, end_index: 3 } },
    ]);
  });

  test('reads a response in which most fields are missing', () => {
    expect(
      decodeResponse(
        { output: [null, { type: 'message', content: null }, { type: 'search_results' }] },
        context,
      ),
    ).toEqual({
      id: 'resp_new',
      object: 'chat.completion',
      created: 7,
      model: '',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: '',
            refusal: null,
            parts: [
              {
                type: 'hosted_call',
                ...search,
                input: '{}',
                native: { protocol: 'responses', value: { type: 'search_results' } },
              },
              { type: 'hosted_result', ...search, sources: [] },
            ],
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    });
  });

  test.each([
    [{}, 'malformed'],
    [response([], { status: 'in_progress' }), 'malformed'],
    [
      response([], { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slow' } }),
      'rate_limited',
    ],
    [response([], { status: 'failed', error: null }), 'server'],
  ])('throws if there is no answer (case %#)', (body, fault) => {
    let found: unknown;
    try {
      decodeResponse(body, context);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ProxyError);
    expect((found as ProxyError).fault).toBe(fault as ProxyError['fault']);
  });
});

/** Reads events, and adds their type and number. */
function read(events: readonly (readonly [string, JsonObject?])[]) {
  const reader = new ResponsesReader(context);
  const chunks = events.flatMap(([type, fields], index) =>
    reader.push({ event: type, data: JSON.stringify({ type, sequence_number: index, ...fields }) }),
  );
  return { reader, chunks: [...chunks, ...reader.end()] };
}
const deltas = (chunks: readonly ChatChunk[]) =>
  chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
const finishes = (chunks: readonly ChatChunk[]) =>
  chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? []));
const begun = [
  'response.created',
  { response: response([], { status: 'in_progress', usage: null }) },
] as const;
const done = ['response.completed', { response: response([]) }] as const;
const added = (place: number, item: JsonObject) =>
  ['response.output_item.added', { output_index: place, item }] as const;
const closed = (place: number, item: JsonObject) =>
  ['response.output_item.done', { output_index: place, item }] as const;
const said = (delta: string, more: JsonObject = {}) =>
  ['response.output_text.delta', { delta, ...more }] as const;
const opening = { role: 'assistant', content: '' };

describe('ResponsesReader', () => {
  test('begins with the role, and ends with the finish reason and the usage', () => {
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const { chunks, reader } = read([
      begun,
      said('Hel', at),
      said('lo', at),
      closed(0, message(text('Hello'))),
      done,
    ]);
    const top = { id: 'resp_1', object: 'chat.completion.chunk', created: 3, model: 'm' } as const;
    const chunk = (delta: JsonObject, finish_reason: string | null = null): ChatChunk => ({
      ...top,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    });
    expect(chunks).toEqual([
      chunk(opening),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      { ...top, choices: [], usage: chatUsage },
    ]);
    expect([reader.done, reader.error, reader.malformed]).toEqual([true, undefined, 0]);
  });

  test('separates parts of reasoning by blank lines, and sends the encrypted reasoning after them', () => {
    const part = (index: number) =>
      ['response.reasoning_summary_part.added', { summary_index: index }] as const;
    const thought = (delta: string) =>
      ['response.reasoning_summary_text.delta', { item_id: 'rs_1', delta }] as const;
    const { chunks } = read([
      begun,
      part(0),
      thought('One.'),
      part(1),
      thought('Two.'),
      closed(0, reasoning),
      said('a'),
      done,
    ]);
    expect(deltas(chunks).slice(1, -1)).toEqual([
      { reasoning_content: 'One.' },
      { reasoning_content: '\n\nTwo.' },
      { thinking_blocks: [block] },
      { content: 'a' },
    ]);
  });

  test('reads parallel calls, one after the other or interleaved', () => {
    const piece = (id: string, place: number, delta: string) =>
      [
        'response.function_call_arguments.delta',
        { item_id: `fc_${id}`, output_index: place, delta },
      ] as const;
    remembered.clear();
    const { chunks } = read([
      begun,
      closed(0, reasoning),
      added(1, fn('a', '')),
      piece('a', 1, '{"a"'),
      added(2, fn('b', '')),
      piece('b', 2, '{}'),
      piece('a', 1, ':1}'),
      ['response.function_call_arguments.done', { item_id: 'fc_a', output_index: 1, arguments: '{"a":1}' }],
      closed(1, fn('a')),
      closed(2, fn('b', '{}')),
      added(3, fn('c', '')),
      closed(3, fn('c', '')),
      done,
    ]);
    const begin = (index: number, id: string) => ({
      tool_calls: [{ index, id, type: 'function', function: { name: 'f', arguments: '' } }],
    });
    const go = (index: number, args: string) => ({ tool_calls: [{ index, function: { arguments: args } }] });
    expect(deltas(chunks).slice(3, -1) as JsonObject[]).toEqual([
      begin(0, 'a'),
      go(0, '{"a"'),
      begin(1, 'b'),
      go(1, '{}'),
      go(0, ':1}'),
      begin(2, 'c'),
      go(2, '{}'),
    ]);
    expect(finishes(chunks)).toEqual(['tool_calls']);
  });

  test('reads a call of a custom tool like an unstreamed one', () => {
    const call = { id: 'ctc_a', type: 'custom_tool_call', call_id: 'a', name: 'run', input: 'print("é")' };
    const { chunks } = read([
      begun,
      added(0, { ...call, input: '' }),
      ['response.custom_tool_call_input.delta', { item_id: 'ctc_a', output_index: 0, delta: 'print(' }],
      ['response.custom_tool_call_input.delta', { item_id: 'ctc_a', output_index: 0, delta: '"é")' }],
      ['response.custom_tool_call_input.done', { item_id: 'ctc_a', output_index: 0, input: call.input }],
      closed(0, call),
      done,
    ]);
    const [wanted] = decodeResponse(response([call]), context).choices[0]!.message.tool_calls!;
    const { name, arguments: given } = wanted!.function;
    expect(given).toBe('{"input":"print(\\"é\\")"}');
    expect(deltas(chunks).slice(1, -1) as JsonObject[]).toEqual([
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name, arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: given } }] },
    ]);
    expect(finishes(chunks)).toEqual(['tool_calls']);
  });

  test('returns citations with offsets into the complete text', () => {
    const annotation = { type: 'url_citation', url: 'u', title: 'U', start_index: 0, end_index: 1 };
    const part = ['response.content_part.added', { part: text('') }] as const;
    const note = ['response.output_text.annotation.added', { annotation }] as const;
    const { chunks } = read([begun, part, said('ab'), part, said('c'), note, done]);
    expect(deltas(chunks)).toContainEqual({
      annotations: [
        { type: 'url_citation', url_citation: { url: 'u', title: 'U', start_index: 2, end_index: 3 } },
      ],
    });
  });

  test('separates messages by a blank line, with citations in their places', () => {
    const spoken = (place: number) => ({ ...message(), id: `msg_${place}`, phase: 'commentary' });
    const annotation = { type: 'url_citation', url: 'u', title: 'U', start_index: 0, end_index: 2 };
    const { chunks } = read([
      begun,
      added(0, spoken(0)),
      said('Looking.', { item_id: 'msg_0' }),
      closed(0, { ...message(text('Looking.')), id: 'msg_0' }),
      added(1, spoken(1)),
      ['response.content_part.added', { part: text('') }],
      said('It', { item_id: 'msg_1' }),
      said(' is.', { item_id: 'msg_1' }),
      ['response.output_text.annotation.added', { annotation }],
      closed(2, { ...message(text('Whole.')), id: 'msg_2' }),
      done,
    ]);
    expect(deltas(chunks).slice(1, -1)).toEqual([
      { content: 'Looking.' },
      { content: '\n\n' },
      { content: 'It' },
      { content: ' is.' },
      {
        annotations: [
          { type: 'url_citation', url_citation: { url: 'u', title: 'U', start_index: 10, end_index: 12 } },
        ],
      },
      { content: '\n\n' },
      { content: 'Whole.' },
    ]);
    const output = [message(text('Looking.')), message(text('It is.', { annotations: [annotation] }))];
    const { content, annotations } = decodeResponse(response(output), context).choices[0]!.message;
    expect(content).toBe('Looking.\n\nIt is.');
    expect(annotations).toMatchObject([{ url_citation: { start_index: 10, end_index: 12 } }]);
  });

  test('returns a refusal', () => {
    const { chunks } = read([begun, ['response.refusal.delta', { delta: 'No.' }], done]);
    expect(deltas(chunks).slice(1, -1)).toEqual([{ refusal: 'No.' }]);
  });

  test.each([
    [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'content_filter'],
    [{ status: undefined }, 'length'],
  ])('ends an incomplete response (%j) with %s', (more, finish) => {
    const { chunks } = read([begun, said('a'), ['response.incomplete', { response: response([], more) }]]);
    expect(finishes(chunks)).toEqual([finish]);
  });

  test.each([
    [['response.failed', { response: { error: { code: 'server_error', message: 'x' } } }], 'server', 'x'],
    [['error', { code: 'rate_limit_exceeded', message: 'slow', param: null }], 'rate_limited', 'slow'],
    [
      [
        'error',
        { error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'long' } },
      ],
      'context_length',
      'long',
    ],
  ] as const)('returns an error for %j', (event, fault, words) => {
    const { reader, chunks } = read([begun, said('a'), event as readonly [string, JsonObject]]);
    const found = classifyBody(reader.error);
    expect([found?.fault, found?.upstream.message]).toEqual([fault, words]);
    expect([reader.done, finishes(chunks)]).toEqual([false, []]);
  });

  test.each([
    [['response.failed', { response: { error: null } }], 'failed'],
    [['response.cancelled', { response: { error: null } }], 'cancelled'],
    [['response.completed', { response: response([], { status: 'failed' }) }], 'failed'],
  ] as const)('ends with the status if a response fails without an error (%j)', (event, finish) => {
    const { reader, chunks } = read([begun, said('a'), event as unknown as readonly [string, JsonObject]]);
    expect([reader.done, reader.error, finishes(chunks)]).toEqual([false, undefined, [finish]]);
  });

  test('is not done if the stream is cut off', () => {
    const { reader, chunks } = read([begun, said('a')]);
    expect([reader.done, finishes(chunks)]).toEqual([false, []]);
  });

  test('reads the stream of a server without indexes by its ids', () => {
    // ik_llama.cpp sends no indexes, and items of calls have no ids.
    const reader = new ResponsesReader(context);
    const events = [
      { type: 'response.created', response: { id: 'resp_1', model: 'm' } },
      {
        type: 'response.output_item.added',
        item: { type: 'function_call', call_id: 'fc_x', name: 'f', arguments: '' },
      },
      { type: 'response.function_call_arguments.delta', item_id: 'fc_x', delta: '{}' },
      {
        type: 'response.output_item.done',
        item: { type: 'function_call', call_id: 'fc_x', name: 'f', arguments: '{}' },
      },
      { type: 'response.completed', response: { id: 'resp_1', output: [] } },
    ];
    const chunks = events.flatMap((event) => reader.push({ data: JSON.stringify(event) }));
    expect(deltas(chunks).flatMap((delta) => delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 'fc_x', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 0, function: { arguments: '{}' } },
    ]);
    expect([finishes(chunks), reader.done]).toEqual([['tool_calls'], true]);
  });

  test('reports the searches that a server runs itself', () => {
    // Perplexity announces its own call, which becomes search results, and begins a message with null.
    const { chunks } = read([
      begun,
      added(0, { ...fn('s', ''), name: 'search_web' }),
      ['response.reasoning.search_queries', { queries: ['q'] }],
      closed(0, { type: 'search_results', results: [] }),
      added(1, { id: 'msg_1', type: 'message', content: null }),
      said('a', { output_index: 1 }),
      done,
    ]);
    const native = { protocol: 'responses', value: { type: 'search_results', results: [] } };
    const parts = [
      { type: 'hosted_call', ...search, input: '{}', native },
      { type: 'hosted_result', ...search, sources: [] },
    ];
    expect(deltas(chunks)).toEqual([opening, { parts }, { content: 'a' }, {}]);
    expect(finishes(chunks)).toEqual(['stop']);
  });

  test('reads content that only the last event contains', () => {
    const output = [reasoning, message(text('a')), fn('a')];
    const { chunks } = read([begun, ['response.completed', { response: response(output) }]]);
    expect(deltas(chunks).slice(0, 4)).toEqual([
      opening,
      { reasoning_content: 'One.\n\nTwo.' },
      { thinking_blocks: [block] },
      { content: 'a' },
    ]);
    expect(finishes(chunks)).toEqual(['tool_calls']);
  });

  test('sends content only once if its deltas name no item', () => {
    const { id: _, ...thought } = reasoning;
    const events = [
      begun,
      ['response.reasoning_summary_text.delta', { delta: 'One.' }],
      said('a'),
      ['response.output_item.done', { item: thought }],
      ['response.output_item.done', { item: { ...message(text('a')), id: undefined } }],
      done,
    ] as const;
    expect(deltas(read(events).chunks).slice(1, -1)).toMatchObject([
      { reasoning_content: 'One.' },
      { content: 'a' },
      { thinking_blocks: [{ encrypted_content: 'E' }] },
    ]);
  });

  test('counts events that are not JSON, and ignores events after the end', () => {
    const reader = new ResponsesReader(context);
    reader.push({ data: '{"type":' });
    reader.push({ data: 'null' });
    reader.push({ data: JSON.stringify({ type: done[0], ...done[1] }) });
    expect(reader.push({ data: '[DONE]' })).toEqual([]);
    expect(reader.push({ data: JSON.stringify({ type: 'response.output_text.delta', delta: 'x' }) })).toEqual(
      [],
    );
    expect([reader.malformed, reader.done]).toEqual([2, true]);
  });
});
