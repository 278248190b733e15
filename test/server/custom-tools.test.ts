/** Chat's custom tools, which take free text, at providers that have functions only. */
import type { Json } from '../helpers/sent-requests.ts';
import { describe, expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';
import { CHAT, running } from '../helpers/proxy.ts';
import { sse, upstream } from '../helpers/upstream.ts';

const GRAMMAR = { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "select" WORD' } };
const SQL = { type: 'custom', custom: { name: 'sql', description: 'Runs SQL.', format: GRAMMAR } };
const CLOCK = {
  type: 'function',
  function: { name: 'clock', parameters: { type: 'object', properties: {} } },
};
const MODEL = 'claude-sonnet-4-5';
const INPUT = 'select "é\\n"\nfrom t';

describe('a request', () => {
  test('declares them as functions with one text parameter', async () => {
    const { body, dropped } = await requestSentTo('anthropic', {
      model: MODEL,
      tools: [SQL, CLOCK],
      tool_choice: SQL,
    });
    const [sql, clock] = body.tools as Json[];
    expect(dropped).toBeNull();
    expect(sql).toEqual({
      name: 'sql',
      description: 'Runs SQL.\n\nThe input must follow this grammar:\nstart: "select" WORD',
      input_schema: {
        type: 'object',
        properties: { input: { type: 'string', description: 'All of the input, as plain text.' } },
        required: ['input'],
        additionalProperties: false,
      },
    });
    expect(clock!.name).toBe('clock');
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'sql' });
  });

  test('has their earlier calls as function calls', async () => {
    const call = { id: 'c', type: 'custom', custom: { name: 'sql', input: INPUT } };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: '1' },
    ];
    const { body } = await requestSentTo('anthropic', { model: MODEL, messages, tools: [SQL] });
    expect((body.messages as Json[])[1]!.content).toEqual([
      { type: 'tool_use', id: 'c', name: 'sql', input: { input: INPUT } },
    ]);
  });

  test.each([
    ['auto', { type: 'auto' }],
    ['required', { type: 'any' }],
  ])('with allowed tools (%s) has only these where a choice cannot be limited', async (mode, choice) => {
    const allowed = { mode, tools: [{ type: 'custom', custom: { name: 'sql' } }] };
    const given = { tools: [CLOCK, SQL], tool_choice: { type: 'allowed_tools', allowed_tools: allowed } };
    const claude = await requestSentTo('anthropic', { model: MODEL, ...given });
    expect([(claude.body.tools as Json[]).map(({ name }) => name), claude.body.tool_choice]).toEqual([
      ['sql'],
      choice,
    ]);
    const nova = await requestSentTo('bedrock', { model: 'amazon.nova-pro-v1:0', ...given });
    const { tools, toolChoice } = nova.body.toolConfig as { tools: { toolSpec: Json }[]; toolChoice: Json };
    expect([tools.map(({ toolSpec }) => toolSpec.name), Object.keys(toolChoice)]).toEqual([
      ['sql'],
      [choice.type],
    ]);
    const cohere = await requestSentTo('cohere', { model: 'command-a-03-2025', ...given });
    expect((cohere.body.tools as { function: Json }[]).map((tool) => tool.function.name)).toEqual(['sql']);
  });
});

const CALLED = { type: 'tool_use', id: 'toolu_1', name: 'sql', input: { input: INPUT } };
const TIMED = { type: 'tool_use', id: 'toolu_2', name: 'clock', input: {} };
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: MODEL,
  usage: { input_tokens: 9, output_tokens: 9 },
};

function claudeEvents(): string {
  const events: Json[] = [{ type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } }];
  [CALLED, TIMED].forEach((block, index) => {
    events.push({ type: 'content_block_start', index, content_block: { ...block, input: {} } });
    for (const partial_json of JSON.stringify(block.input).match(/[\s\S]{1,3}/g)!) {
      events.push({ type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } });
    }
    events.push({ type: 'content_block_stop', index });
  });
  events.push({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } });
  events.push({ type: 'message_stop' });
  return events.map((event) => `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

const CALLS = [
  { id: 'toolu_1', type: 'custom', custom: { name: 'sql', input: INPUT } },
  { id: 'toolu_2', type: 'function', function: { name: 'clock', arguments: '{}' } },
];

test('an answer calls them with their text, whole and streamed', async () => {
  await using claude = upstream(({ text }) =>
    (JSON.parse(text) as Json).stream
      ? sse(claudeEvents())
      : Response.json({ ...MESSAGE, content: [CALLED, TIMED], stop_reason: 'tool_use' }),
  );
  await using proxy = running({
    providers: [{ name: 'a', type: 'anthropic', base_url: claude.url, api_key: 'k', models: ['*'] }],
  });
  const asked = { ...CHAT, model: MODEL, tools: [SQL, CLOCK] };
  const whole = (await (await proxy.post('/v1/chat/completions', asked)).json()) as Json;
  const [choice] = whole.choices as { message: Json; finish_reason: string }[];
  expect([choice!.message.tool_calls, choice!.finish_reason]).toEqual([CALLS, 'tool_calls']);

  const reply = await proxy.post('/v1/chat/completions', { ...asked, stream: true });
  const told = (await reply.text()).split('\n\n').flatMap((event) => {
    const chunk = event.startsWith('data: {') ? (JSON.parse(event.slice(6)) as Json) : {};
    return (chunk.choices ?? []) as { delta: { tool_calls?: Json[] }; finish_reason: string | null }[];
  });
  const pieces = told.flatMap(({ delta }) => delta.tool_calls ?? []);
  expect(pieces.filter(({ index }) => index === 0)).toEqual([
    { index: 0, id: 'toolu_1', type: 'custom', custom: { name: 'sql', input: '' } },
    { index: 0, custom: { input: INPUT } },
  ]);
  expect(told.at(-1)!.finish_reason).toBe('tool_calls');
  const records = await proxy.recorded(2);
  for (const { response } of records) {
    const { choices } = JSON.parse(response!) as { choices: { message: Json }[] };
    expect(choices[0]!.message.tool_calls).toEqual(CALLS);
  }
});
