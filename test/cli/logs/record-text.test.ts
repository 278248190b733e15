import { describe, expect, test } from 'bun:test';
import { paintOf } from '../../../src/cli/lines/paint.ts';
import { utcTime } from '../../../src/cli/lines/times.ts';
import { recordText } from '../../../src/cli/logs/record-text.ts';
import { answeredTurns, requestTurns } from '../../../src/cli/logs/turns.ts';
import type { LogRecord } from '../../../src/logs/record.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { encodeRecord, logRecord } from '../../helpers/log-record.ts';

const OPTIONS = { paint: paintOf(false), width: 80, time: utcTime };

function shown(changes: Partial<LogRecord>, feedback: readonly JsonObject[] = []): string {
  const record = JSON.parse(encodeRecord(logRecord(changes))) as JsonObject;
  return recordText(record, feedback, OPTIONS);
}

test('recordText() fits 80 columns', () => {
  const request = JSON.stringify({
    model: 'smart',
    messages: [
      { role: 'system', content: 'Be short.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this,\nand how warm is it there?' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(2_000)}` } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '12 degrees' },
    ],
  });
  const response = JSON.stringify({
    choices: [
      { message: { role: 'assistant', reasoning_content: 'A harbour.', content: 'Oslo.\n12 degrees.' } },
    ],
  });
  const text = shown(
    {
      id: 'req_01a22b07a98c749885ec193901ccd7b6',
      model: 'smart',
      provider: 'openai',
      upstream_model: 'gpt-5-mini',
      stream: true,
      attempts: 2,
      input_tokens: 1_204,
      cached_tokens: 1_000,
      output_tokens: 340,
      reasoning_tokens: 12,
      cost: 0.0012,
      latency_ms: 1_421,
      first_content_ms: 210,
      key: 'alice',
      group: 'search',
      labels: { team: 'north' },
      conversation: 'talk-7',
      failed: { input_tokens: 12, output_tokens: 0, cost: 0.0001 },
      user_agent: 'OpenAI/Python 2.1.0 a rather long name of a client program that is wrapped',
      attempt_log: [
        { target: 'groq/llama-3.3', fault: 'rate_limited', status: 429, ms: 80 },
        { target: 'openai/gpt-5-mini', fault: null, status: 200, ms: 1_300 },
      ],
      request,
      response,
    },
    [
      {
        ts: '2026-03-04T06:00:00.000Z',
        score: 1,
        feedback: { request_id: 'req', score: 1, label: true, comment: 'Nice', correction: 'Oslo!' },
      },
    ],
  );
  expect(text).toBe(
    `
id        req_01a22b07a98c749885ec193901ccd7b6
time      2026-03-04T05:06:07Z, 1.42s, first content after 210ms
request   smart, chat, stream
by        key alice, group search, team=north, OpenAI/Python 2.1.0 a rather long
          name of a client program that is wrapped
in        conversation talk-7
answer    200, openai/gpt-5-mini, relay, finish stop, 74 bytes
tokens    1,204 in (1,000 cached), 340 out (12 reasoning)
cost      $0.0012, $0.00010 for attempts that failed

Attempts
  1. groq/llama-3.3    429  80ms rate_limited
  2. openai/gpt-5-mini 200 1.30s answered

Feedback
  2026-03-04T06:00:00.000Z, score 1, good, Nice, corrected: Oslo!

system
  Be short.

user
  What is this,
  and how warm is it there?
  [image_url, image/png, 2022 characters]

assistant
  [calls call_1] weather({"city":"Oslo"})

tool call_1
  12 degrees

assistant
  [thinks] A harbour.
  Oslo.
  12 degrees.`.slice(1),
  );
});

describe('recordText()', () => {
  test('shows why a request failed, and what the log did not keep', () => {
    const text = shown({
      outcome: 'error',
      status: 502,
      fault: 'server',
      error: 'Cannot get an answer from local/small-1: it answered 500',
      finish: null,
      input_tokens: null,
      output_tokens: null,
      cost: null,
      content: 'metadata',
      request: undefined,
      response: undefined,
    });
    expect(text).toContain('answer    502 error, local/small-1, relay, 74 bytes\n');
    expect(text).toContain('error     server: Cannot get an answer from local/small-1: it answered 500\n');
    expect(text).toEndWith('Request and answer were not kept: content is metadata');
    const cut = shown({ omitted: ['response'], response: undefined });
    expect(cut).toEndWith('Not kept, since it was too long or not text: response');
  });

  test('shows sessions, resumed streams and traces', () => {
    const session = {
      closed_by: 'client' as const,
      client_code: 1000,
      provider_code: null,
      client_events: 12,
      provider_events: 3_400,
      responses: 2,
      refused: 1,
    };
    const parts = [
      { target: 'a/x', fault: 'network', input_tokens: null, output_tokens: null },
      { target: 'b/y', fault: null, input_tokens: 1, output_tokens: 2 },
    ];
    const text = shown({ session, parts, trace_id: '0af7651916cd43dd8448eb211c80319c' });
    expect(text).toContain(
      'session   closed by client, 12 messages in, 3,400 out, 2 answers, 1 refused by\n          limits\n',
    );
    expect(text).toContain('resumed   a/x (network), then b/y\n');
    expect(text).toContain('trace     0af7651916cd43dd8448eb211c80319c\n');
  });

  test('shows a request that is not a conversation as JSON of limited length', () => {
    const text = shown({
      endpoint: 'embeddings',
      request: JSON.stringify({ input: ['a', 'b'], dimensions: 3 }),
      response: JSON.stringify({ data: Array.from({ length: 3_000 }, (_, n) => n) }),
    });
    expect(text).toContain('\nRequest\n  {\n    "input": [');
    expect(text).toContain('\nResponse\n  {\n    "data": [\n      0,');
    expect(text).toEndWith('…  (--raw shows all)');
    expect(text.length).toBeLessThan(12_000);
  });

  test('removes control characters from the texts of people and models', () => {
    const evil = 'a\x1b[2Jb\x07c\r\n\u009b1md\u202ee\x1b]0;title\x07f';
    const text = shown({
      request: JSON.stringify({ messages: [{ role: evil, content: evil }] }),
      response: JSON.stringify({ choices: [{ message: { role: 'assistant', content: evil } }] }),
      conversation: evil,
      user_agent: evil,
    });
    expect(text).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u);
  });
});

describe('turns of a conversation', () => {
  test("are read from Anthropic's messages", () => {
    expect(
      requestTurns({
        system: [{ type: 'text', text: 'Be kind.' }],
        messages: [
          {
            role: 'user',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
          },
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 'tu_1', name: 'look', input: { at: 'it' } }],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'tu_1', content: [{ type: 'text', text: 'seen' }] },
            ],
          },
        ],
      }),
    ).toEqual([
      { who: 'system', pieces: ['Be kind.'] },
      { who: 'user', pieces: ['[image, image/png, 4 characters]'] },
      { who: 'assistant', pieces: ['[calls tu_1] look({"at":"it"})'] },
      { who: 'user', pieces: ['[result tu_1] seen'] },
    ]);
    const content = [
      { type: 'thinking', thinking: 'Hm.', signature: 'x' },
      { type: 'text', text: 'Yes.' },
    ];
    expect(answeredTurns({ role: 'assistant', content })).toEqual([
      { who: 'assistant', pieces: ['[thinks] Hm.', 'Yes.'] },
    ]);
  });

  test("are read from OpenAI's Responses", () => {
    expect(
      requestTurns({
        instructions: 'Be exact.',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
          { type: 'function_call', call_id: 'c1', name: 'add', arguments: '{"a":1}' },
          { type: 'function_call_output', call_id: 'c1', output: '2' },
        ],
      }),
    ).toEqual([
      { who: 'system', pieces: ['Be exact.'] },
      { who: 'user', pieces: ['Hi'] },
      { who: 'assistant', pieces: ['[calls c1] add({"a":1})'] },
      { who: 'tool c1', pieces: ['[result c1] 2'] },
    ]);
    expect(requestTurns({ input: 'Hi' })).toEqual([{ who: 'user', pieces: ['Hi'] }]);
    const output = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'So.' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Two.' }] },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
    ];
    expect(answeredTurns({ output })).toEqual([
      { who: 'assistant', pieces: ['[thinks] So.'] },
      { who: 'assistant', pieces: ['Two.'] },
      {
        who: 'assistant',
        pieces: ['[web_search_call] {"type":"web_search_call","id":"ws_1","status":"completed"}'],
      },
    ]);
  });

  test('are read from completions, several choices, and Gemini', () => {
    expect(requestTurns({ prompt: 'Once' })).toEqual([{ who: 'user', pieces: ['Once'] }]);
    expect(answeredTurns({ choices: [{ text: 'upon' }, { message: { refusal: 'No.' } }] })).toEqual([
      { who: 'assistant, choice 1', pieces: ['upon'] },
      { who: 'assistant, choice 2', pieces: ['[refuses] No.'] },
    ]);
    expect(
      requestTurns({
        systemInstruction: { parts: [{ text: 'Be.' }] },
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }, { inlineData: { mimeType: 'audio/wav', data: 'AA' } }] },
        ],
      }),
    ).toEqual([
      { who: 'system', pieces: ['Be.'] },
      { who: 'user', pieces: ['Hi', '[data, audio/wav, 2 characters]'] },
    ]);
    const parts = [{ text: 'Hm', thought: true }, { functionCall: { name: 'f', args: { a: 1 } } }];
    expect(answeredTurns({ candidates: [{ content: { parts } }] })).toEqual([
      { who: 'assistant', pieces: ['[thinks] Hm', '[calls] f({"a":1})'] },
    ]);
  });

  test.each([[null], ['text'], [[]], [{}], [{ messages: [null, 7, {}] }], [{ choices: [{}] }]])(
    'are empty for %p',
    (value) => {
      expect(requestTurns(value)).toEqual([]);
      expect(answeredTurns(value)).toEqual([]);
    },
  );
});
