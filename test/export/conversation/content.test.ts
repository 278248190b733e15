/** What is kept of messages that hold more than text. */
import { describe, expect, test } from 'bun:test';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

interface Row {
  messages: { role: string; content: unknown }[];
}

const PIXEL = 'iVBORw0KGgo=';
const image = (url = `data:image/png;base64,${PIXEL}`) => ({ type: 'image_url', image_url: { url } });

describe('--images drop', () => {
  test('puts a placeholder in the place of an image-only result, and loses no turn behind it', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: PIXEL };
    const results = [
      [{ type: 'image', source }],
      [
        { type: 'text', text: 'seen:' },
        { type: 'image', source },
      ],
      [
        { type: 'image', source },
        { type: 'image', source },
      ],
    ];
    const messages: object[] = [{ role: 'user', content: 'look' }];
    const log: string[] = [];
    for (const [n, content] of results.entries()) {
      const use = [{ type: 'tool_use', id: `t${n}`, name: 'shot', input: {} }];
      const exchange = (response: unknown[], stop_reason: string) =>
        line({
          endpoint: 'messages',
          finish: stop_reason,
          request: {
            model: 'm',
            max_tokens: 9,
            messages: [...messages],
            tools: [{ name: 'shot', input_schema: { type: 'object' } }],
          },
          response: { id: 'm', type: 'message', role: 'assistant', content: response, stop_reason },
        });
      log.push(exchange(use, 'tool_use'));
      messages.push({ role: 'assistant', content: use });
      messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${n}`, content }] });
      const said = [{ type: 'text', text: `I see ${n}.` }];
      log.push(exchange(said, 'end_turn'));
      messages.push({ role: 'assistant', content: said }, { role: 'user', content: 'again' });
    }
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    const { report } = await shop.run('-f trl --images drop');
    expect([report.kept, report.dropped]).toEqual([1, {}]);
    const [row] = shop.rows() as unknown as Row[];
    const given = row!.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    expect(given).toEqual(['[image]', 'seen:\n[image]', '[image]\n[image]']);
    expect(row!.messages.filter(({ role }) => role === 'assistant')).toHaveLength(6);
    expect((await shop.run('-f trl --images keep --force')).report.dropped.unsupported_content?.count).toBe(
      5,
    );
  });

  test.each([
    ['drop', [image()], '[image]'],
    ['drop', [{ type: 'text', text: 'What is it?' }, image()], 'What is it?\n[image]'],
    ['url-only', [image()], '[image]'],
    [
      'url-only',
      [image(), image('https://a/b.png')],
      [{ type: 'text', text: '[image]' }, image('https://a/b.png')],
    ],
    ['keep', [image()], [image()]],
  ])('--images %s: what a user shows', async (how, content, written) => {
    await using shop = await workshop({ 'a.ndjson': line({ request: chat([user(content)]) }) });
    await shop.run(`-f openai --images ${how}`);
    expect((shop.rows() as unknown as Row[])[0]!.messages[0]!.content).toEqual(written);
  });
});

test.each([
  [{ content: 'Here it is.', images: [image()] }],
  [{ content: 'Listen.', audio: { id: 'a', data: 'AA==', transcript: 'Listen.' } }],
])('an answer with a picture or a sound makes no row: %j', async (message) => {
  await using shop = await workshop({ 'a.ndjson': line({ response: answered(message) }) });
  expect((await shop.run()).report.dropped.unsupported_content?.count).toBe(1);
});

describe('an answer that rests on a tool of the provider', () => {
  const claude = (content: unknown[], messages: unknown[] = [{ role: 'user', content: 'Who won?' }]) =>
    line({
      endpoint: 'messages',
      finish: 'end_turn',
      request: { model: 'm', max_tokens: 9, messages },
      response: { id: 'm', type: 'message', role: 'assistant', content, stop_reason: 'end_turn' },
    });
  const openai = (output: unknown[]) =>
    line({
      endpoint: 'responses',
      request: { model: 'm', input: 'Who won?' },
      response: {
        id: 'r',
        status: 'completed',
        output: [
          ...output,
          { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'Ajax.' }] },
        ],
      },
    });
  const gemini = (content: object, more: object = {}) =>
    line({
      endpoint: 'gemini',
      finish: 'stop',
      request: { contents: [{ role: 'user', parts: [{ text: 'Who won?' }] }] },
      response: { candidates: [{ content: { role: 'model', ...content }, finishReason: 'STOP', ...more }] },
    });
  const said = { type: 'text', text: 'Ajax.' };
  const use = (type: string, name: string) => ({ type, id: 's', name, input: {} });
  const gave = (type: string) => ({ type, tool_use_id: 's', content: [] });
  const chatted = (message: object, more: object = {}) =>
    line({ response: { ...answered({ content: 'Ajax.', ...message }), ...more } });
  const note = {
    type: 'url_citation',
    url_citation: { url: 'https://a', title: 'a', start_index: 0, end_index: 1 },
  };

  test.each([
    [
      'search by Claude',
      claude([use('server_tool_use', 'web_search'), gave('web_search_tool_result'), said]),
    ],
    ['a page by Claude', claude([use('server_tool_use', 'web_fetch'), gave('web_fetch_tool_result'), said])],
    [
      'code by Claude',
      claude([use('server_tool_use', 'bash_code_execution'), gave('bash_code_execution_tool_result'), said]),
    ],
    [
      'a remote tool by Claude',
      claude([{ ...use('mcp_tool_use', 'x'), server_name: 's' }, gave('mcp_tool_result'), said]),
    ],
    [
      'a search before, by Claude',
      claude(
        [said],
        [
          { role: 'user', content: 'Who won?' },
          {
            role: 'assistant',
            content: [use('server_tool_use', 'web_search'), gave('web_search_tool_result'), said],
          },
          { role: 'user', content: 'And when?' },
        ],
      ),
    ],
    [
      'search in Responses',
      openai([
        { type: 'web_search_call', id: 'w', status: 'completed', action: { type: 'search', query: 'x' } },
      ]),
    ],
    ['files in Responses', openai([{ type: 'file_search_call', id: 'w', status: 'completed', queries: [] }])],
    [
      'code in Responses',
      openai([
        {
          type: 'code_interpreter_call',
          id: 'w',
          status: 'completed',
          code: '1',
          container_id: 'c',
          outputs: [],
        },
      ]),
    ],
    [
      'a remote tool in Responses',
      openai([{ type: 'mcp_call', id: 'w', name: 'f', server_label: 's', arguments: '{}', output: 'o' }]),
    ],
    [
      'code by Gemini',
      gemini({
        parts: [
          { executableCode: { code: '1' } },
          { codeExecutionResult: { output: '1' } },
          { text: 'Ajax.' },
        ],
      }),
    ],
    [
      'search by Gemini',
      gemini({ parts: [{ text: 'Ajax.' }] }, { groundingMetadata: { webSearchQueries: ['x'] } }),
    ],
    ['citations in a chat', chatted({ annotations: [note] })],
    ['pages beside a chat', chatted({}, { search_results: [{ title: 'a', url: 'https://a' }] })],
    ['citations beside a chat', chatted({}, { citations: ['https://a'] })],
    ['tools that a chat ran', chatted({ executed_tools: [{ type: 'search' }] })],
  ])('is left out, unless it is asked for: %s', async (_, log) => {
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-pc');
    expect([report.kept, report.dropped.provider_tool?.count]).toEqual([0, 1]);
    expect((await shop.run('-f trl-pc --provider-tools keep --force')).report.kept).toBe(1);
  });

  test('is no answer with calls of the client’s own tools', async () => {
    const tools = [{ name: 'f', input_schema: { type: 'object' } }];
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [use('tool_use', 'f')] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 's', content: 'r' }] },
    ];
    const record = JSON.parse(claude([said], messages)) as { request: object };
    const own = JSON.stringify({ ...record, request: { ...record.request, tools } });
    const openaiCall = line({
      request: chat([user('go')], { tools: [tool('f')] }),
      response: {
        ...answered({ content: null, tool_calls: [call('c', 'f', '{}')], annotations: [] }),
        citations: [],
      },
    });
    await using shop = await workshop({ 'a.ndjson': `${own}\n${openaiCall}` });
    expect((await shop.run('-f trl-pc')).report.kept).toBe(2);
  });
});
