/** Chat answers as answers of the Responses API, with and without streaming. */
import { describe, expect, test } from 'bun:test';
import type { ChatChunk, ChatDelta, ChatMessage, ChatResponse } from '../../src/wire/chat.ts';
import { eventsText } from '../../src/wire/long-events.ts';
import { streamOf } from '../helpers/written.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { responsesClient } from '../../src/wire/responses/client.ts';
import { encodeOpenaiUsage } from '../../src/wire/usage.ts';
import { framesOf } from '../helpers/grammar/frames.ts';
import { checkResponsesStream } from '../helpers/grammar/responses.ts';
import { openapiProblems } from '../helpers/openapi.ts';

const asked = {
  model: 'asked',
  input: 'Hi',
  instructions: 'Be kind.',
  max_output_tokens: 100,
  temperature: 0.5,
  reasoning: { effort: 'low' },
  text: { verbosity: 'low' },
  tools: [{ type: 'function', name: 'f' }],
  tool_choice: 'auto',
  metadata: { a: 'b' },
};
function client(body: JsonObject = asked) {
  let ids = 0;
  return responsesClient.decode(body, { created: 5, newId: () => `n${(ids += 1)}`, memory: NO_MEMORY });
}
const usage = encodeOpenaiUsage({ input: 10, cached: 4, cacheWrite: 1, output: 7, reasoning: 3 });
const call = (id: string, text = '{}') => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: text },
});

function whole(
  message: Partial<ChatMessage>,
  finish = 'stop',
  more: Partial<ChatResponse> = {},
): ChatResponse {
  const said = { role: 'assistant', content: null, ...message };
  const choices = [{ index: 0, message: said, finish_reason: finish }];
  return { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage, ...more };
}
function encode(...answer: Parameters<typeof whole>): JsonObject {
  const response = client().encode(whole(...answer));
  expect(openapiProblems('Response', response)).toEqual([]);
  return response;
}

describe('encode() of an answer', () => {
  test('returns the tools of the request that are valid in OpenAI’s published types', () => {
    const valid = [
      { type: 'custom', name: 'f' },
      { type: 'web_search' },
      { type: 'file_search', vector_store_ids: ['v'] },
      { type: 'mcp', server_label: 's', server_url: 'https://example.com' },
      { type: 'code_interpreter', container: { type: 'auto' } },
    ];
    const invalid = [
      { type: 'bash_20250124', name: 'bash' },
      { type: 'custom' },
      { type: 'file_search', vector_store_ids: [1] },
      { type: 'mcp' },
      { type: 'code_interpreter' },
      { type: 'computer_use_preview', environment: 'mac', display_width: '1' },
      { type: 'namespace', name: 'n', description: 'd' },
      { type: 1 },
      'web_search',
    ];
    const response = client({ ...asked, tools: [...invalid, ...valid] }).encode(whole({ content: 'Hello' }));
    expect(response.tools).toEqual(valid);
    expect(openapiProblems('Response', response)).toEqual([]);
  });

  test('sets every field, and repeats the parameters of the request', () => {
    expect(encode({ content: 'Hello' })).toEqual({
      id: 'resp_n1',
      object: 'response',
      created_at: 5,
      completed_at: 5,
      status: 'completed',
      background: false,
      error: null,
      frequency_penalty: 0,
      incomplete_details: null,
      instructions: 'Be kind.',
      max_output_tokens: 100,
      max_tool_calls: null,
      model: 'm',
      output: [
        {
          id: 'msg_n2',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      presence_penalty: 0,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: 'low', summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: false,
      temperature: 0.5,
      text: { format: { type: 'text' }, verbosity: 'low' },
      tool_choice: 'auto',
      tools: [{ type: 'function', name: 'f', description: null, parameters: null, strict: false }],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 17,
      },
      metadata: { a: 'b' },
    });
  });

  test('returns reasoning, text and calls as items in their order', () => {
    const block = { type: 'encrypted', id: 'x', summary: [], encrypted_content: 'E' };
    const { output } = encode({
      content: 'Looking',
      reasoning_content: 'Hm.',
      thinking_blocks: [block],
      tool_calls: [call('a', '{"a":1}'), call('b', '')],
    });
    expect(output).toEqual([
      {
        id: 'x',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: 'E',
      },
      {
        id: 'msg_n2',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Looking', annotations: [], logprobs: [] }],
      },
      {
        id: 'fc_n3',
        type: 'function_call',
        status: 'completed',
        call_id: 'a',
        name: 'f',
        arguments: '{"a":1}',
      },
      { id: 'fc_n4', type: 'function_call', status: 'completed', call_id: 'b', name: 'f', arguments: '{}' },
    ]);
  });

  test.each([
    ['stop', { status: 'completed', error: null, incomplete_details: null, completed_at: 5 }],
    ['tool_calls', { status: 'completed', error: null, incomplete_details: null, completed_at: 5 }],
    [
      'length',
      {
        status: 'incomplete',
        error: null,
        incomplete_details: { reason: 'max_output_tokens' },
        completed_at: null,
      },
    ],
    [
      'content_filter',
      {
        status: 'incomplete',
        error: null,
        incomplete_details: { reason: 'content_filter' },
        completed_at: null,
      },
    ],
  ])('maps the finish reason %s to a status', (finish, fields) => {
    expect(encode({ content: 'a' }, finish)).toMatchObject(fields);
  });

  test('returns an unknown finish reason as the reason for an incomplete response', () => {
    expect(client().encode(whole({ content: 'a' }, 'new_word'))).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'new_word' },
      completed_at: null,
    });
  });

  test('returns a refusal', () => {
    expect(encode({ refusal: 'No.' }).output).toMatchObject([
      { content: [{ type: 'refusal', refusal: 'No.' }] },
    ]);
  });

  test('returns citations and log probabilities', () => {
    const annotations = [
      {
        type: 'url_citation',
        url_citation: { url: 'https://x.test', title: 'X', start_index: 0, end_index: 1 },
      },
      { type: 'other' },
    ];
    const answer = whole({ content: 'a', annotations });
    answer.choices[0]!.logprobs = {
      content: [
        { token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2, bytes: null }] },
      ],
    };
    const response = client().encode(answer);
    expect(openapiProblems('Response', response)).toEqual([]);
    expect(response.output).toMatchObject([
      {
        content: [
          {
            annotations: [
              { type: 'url_citation', url: 'https://x.test', title: 'X', start_index: 0, end_index: 1 },
            ],
            logprobs: [
              {
                token: 'a',
                logprob: -1,
                bytes: [97],
                top_logprobs: [{ token: 'b', logprob: -2, bytes: [] }],
              },
            ],
          },
        ],
      },
    ]);
  });

  test('keeps the id of a response, and returns counts of 0 without usage', () => {
    const { id, usage: counted } = encode({ content: 'a' }, 'stop', {
      id: 'resp_own',
      usage: undefined as never,
    });
    expect([id, counted]).toEqual([
      'resp_own',
      {
        input_tokens: 0,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 0,
      },
    ]);
  });
});

const chunk = (delta: ChatDelta, finish: string | null = null, more: JsonObject = {}): ChatChunk => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish, ...more }],
});
const counted: ChatChunk = { ...chunk({}), choices: [], usage };
const piece = (index: number, text: string, id?: string): ChatDelta => ({
  tool_calls: [
    {
      index,
      ...(id === undefined ? {} : { id, type: 'function' as const }),
      function: { ...(id === undefined ? {} : { name: 'f' }), arguments: text },
    },
  ],
});

function write(...chunks: ChatChunk[]): { sse: string; response: JsonObject; events: string[] } {
  const writer = client().stream();
  const sse = streamOf(chunks, writer);
  const { response, problems } = checkResponsesStream(sse);
  expect(problems).toEqual([]);
  const events = framesOf(sse, []).map(({ value }) => {
    const { type, delta, output_index: at } = value as JsonObject;
    return [String(type).slice('response.'.length), at, delta].filter((each) => each !== undefined).join(' ');
  });
  return { sse, response, events };
}

describe('stream() of an answer', () => {
  test('announces, fills and closes the items, event by event', () => {
    const { sse, events } = write(
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ thinking_blocks: [{ type: 'encrypted', id: 'x', summary: [], encrypted_content: 'E' }] }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk(piece(0, '{"a"', 'a')),
      chunk(piece(0, ':1}')),
      chunk({}, 'tool_calls'),
      counted,
    );
    expect(events).toEqual([
      'created',
      'in_progress',
      'output_item.added 0',
      'reasoning_summary_part.added 0',
      'reasoning_summary_text.delta 0 Hm.',
      'reasoning_summary_text.done 0',
      'reasoning_summary_part.done 0',
      'output_item.done 0',
      'output_item.added 1',
      'content_part.added 1',
      'output_text.delta 1 Hel',
      'output_text.delta 1 lo',
      'output_text.done 1',
      'content_part.done 1',
      'output_item.done 1',
      'output_item.added 2',
      'function_call_arguments.delta 2 {"a"',
      'function_call_arguments.delta 2 :1}',
      'function_call_arguments.done 2',
      'output_item.done 2',
      'completed',
    ]);
    expect(sse).not.toContain('[DONE]');
    expect(sse).toContain(
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"msg_n3","output_index":1,"content_index":0,"delta":"Hel","logprobs":[],"sequence_number":10}\n\n',
    );
  });

  test('ends with the same response as without streaming', () => {
    const { response } = write(chunk({ content: 'Hello' }), chunk({}, 'stop'), counted);
    expect(response).toEqual(client().encode(whole({ content: 'Hello' })));
  });

  test('finishes a call before it writes a call that began later', () => {
    const { events, response } = write(
      chunk(piece(0, '{', 'a')),
      chunk(piece(1, '{"b"', 'b')),
      chunk(piece(0, '}')),
      chunk(piece(1, ':2}')),
      chunk({}, 'tool_calls'),
    );
    expect(events.filter((event) => event.includes('delta'))).toEqual([
      'function_call_arguments.delta 0 {',
      'function_call_arguments.delta 0 }',
      'function_call_arguments.delta 1 {"b"',
      'function_call_arguments.delta 1 :2}',
    ]);
    expect(response.output).toMatchObject([
      { call_id: 'a', arguments: '{}' },
      { call_id: 'b', arguments: '{"b":2}' },
    ]);
  });

  test('writes a refusal', () => {
    const { events } = write(chunk({ refusal: 'No' }), chunk({ refusal: '.' }), chunk({}, 'stop'));
    expect(events.slice(2)).toEqual([
      'output_item.added 0',
      'content_part.added 0',
      'refusal.delta 0 No',
      'refusal.delta 0 .',
      'refusal.done 0',
      'content_part.done 0',
      'output_item.done 0',
      'completed',
    ]);
  });

  test('writes citations and log probabilities', () => {
    const citation = {
      type: 'url_citation',
      url_citation: { url: 'https://x.test', title: 'X', start_index: 0, end_index: 1 },
    };
    const logprobs = { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }] };
    const { events, response } = write(
      chunk({ annotations: [citation] }),
      chunk({ content: 'a' }, null, { logprobs }),
      chunk({ annotations: [citation, citation] }),
      chunk({}, 'stop'),
    );
    expect(events.filter((event) => event.includes('annotation'))).toHaveLength(2);
    const note = { type: 'url_citation', url: 'https://x.test', title: 'X', start_index: 0, end_index: 1 };
    expect(response.output).toMatchObject([
      { content: [{ text: 'a', annotations: [note, note], logprobs: logprobs.content }] },
    ]);
  });

  test.each([
    ['length', 'incomplete'],
    ['content_filter', 'incomplete'],
  ])('maps the finish reason %s to the status %s', (finish, status) => {
    const { events, response } = write(chunk({ content: 'a' }), chunk({}, finish));
    expect([events.at(-1), response.status]).toEqual([status, status]);
  });

  test('writes an empty message for an empty answer', () => {
    expect(write().response.output).toMatchObject([{ type: 'message', content: [] }]);
  });
});

describe('an error', () => {
  const error = new ProxyError('overloaded', 'Cannot go on: busy', { param: 'input' });

  test('is returned as a body in OpenAI’s shape', () => {
    const body = responsesClient.errorBody(error, 'req_1');
    expect(openapiProblems('ErrorResponse', body)).toEqual([]);
    expect(body).toEqual({
      error: {
        message: 'Cannot go on: busy',
        type: error.rule.type,
        param: 'input',
        code: error.rule.code,
        request_id: 'req_1',
      },
    });
  });

  test('ends a stream with two events, the second of which contains the incomplete response', () => {
    const writer = client().stream();
    const begun = writer.push(chunk({ content: 'Hel' }));
    const [first, second] = framesOf(eventsText(writer.fail(error, 'req_1')), []);
    const next = framesOf(eventsText(begun), []).length;
    for (const frame of [first, second])
      expect(openapiProblems('ResponseStreamEvent', frame?.value)).toEqual([]);
    expect(first).toMatchObject({
      name: 'error',
      value: {
        type: 'error',
        code: error.rule.code,
        message: 'Cannot go on: busy',
        param: 'input',
        sequence_number: next,
      },
    });
    expect(second).toMatchObject({
      name: 'response.failed',
      value: {
        sequence_number: next + 1,
        response: {
          id: expect.stringContaining('resp_'),
          status: 'failed',
          error: { code: 'server_error', message: 'Cannot go on: busy' },
          output: [
            { type: 'message', status: 'incomplete', content: [{ type: 'output_text', text: 'Hel' }] },
          ],
        },
      },
    });
  });
});
