/** How an export treats messages with content other than text. */
import { describe, expect, test } from 'bun:test';
import { EXPORT_FORMATS } from '../../../src/config/export/options.ts';
import { FORMATS } from '../../../src/export/render/all.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { answered, call, chat, line, tool, user } from '../records.ts';
import { workshop } from '../workshop.ts';

interface Row {
  messages: { role: string; content: unknown }[];
}

const PIXEL = 'iVBORw0KGgo=';
const image = (url = `data:image/png;base64,${PIXEL}`) => ({ type: 'image_url', image_url: { url } });

describe('--images drop', () => {
  test('replaces an image-only result with a placeholder, and loses no later turn', async () => {
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
  ])('--images %s: images of a user', async (how, content, written) => {
    await using shop = await workshop({ 'a.ndjson': line({ request: chat([user(content)]) }) });
    await shop.run(`-f openai --images ${how}`);
    expect((shop.rows() as unknown as Row[])[0]!.messages[0]!.content).toEqual(written);
  });
});

describe('images in the results of tools', () => {
  const source = { type: 'base64', media_type: 'image/png', data: PIXEL };
  const log = (content: object[]) =>
    line({
      endpoint: 'messages',
      finish: 'end_turn',
      request: {
        model: 'm',
        max_tokens: 9,
        messages: [
          { role: 'user', content: 'look' },
          {
            role: 'assistant',
            content: ['t1', 't2'].map((id) => ({ type: 'tool_use', id, name: 'shot', input: {} })),
          },
          { role: 'user', content },
        ],
        tools: [{ name: 'shot', input_schema: { type: 'object' } }],
      },
      response: {
        id: 'm',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'I see.' }],
        stop_reason: 'end_turn',
      },
    });
  const shown = (id: string, ...more: object[]) => ({
    type: 'tool_result',
    tool_use_id: id,
    content: [...more, { type: 'image', source }],
  });
  const seen = { type: 'text', text: 'seen' };

  test.each([
    ['openai', [shown('t1', seen), shown('t2')], ['seen\n[image]', '[image]', [image(), image()]]],
    [
      'fireworks',
      [shown('t1'), { ...shown('t2'), content: 'no' }, { type: 'text', text: 'well?' }],
      ['[image]', 'no', [image()], 'well?'],
    ],
    [
      'together',
      [shown('t1'), { ...shown('t2'), content: 'no' }, { type: 'text', text: 'well?' }],
      [
        [{ type: 'text', text: '[image]' }],
        [{ type: 'text', text: 'no' }],
        [image(), { type: 'text', text: 'well?' }],
      ],
    ],
  ] as const)('%s has them in a message of the user', async (name, content, expected) => {
    await using shop = await workshop({ 'a.ndjson': log([...content]) });
    const { report } = await shop.run(`-f ${name} --unlogged-turns keep`);
    expect(report.dropped).toEqual({});
    const [row] = shop.rows() as unknown as Row[];
    expect(row!.messages.slice(2, -1).map(({ content: each }) => each)).toEqual([...expected]);
    expect(FORMATS[name].check(row as unknown as JsonObject)).toEqual([]);
  });

  test.each(['trl', 'mistral', 'sharegpt', 'gemini', 'bedrock'])('%s has no place for them', async (name) => {
    await using shop = await workshop({ 'a.ndjson': log([shown('t1'), shown('t2')]) });
    const { report } = await shop.run(`-f ${name} --unlogged-turns keep`);
    expect([report.kept, report.dropped.unsupported_content?.count]).toEqual([0, 1]);
    const dropped = await shop.run(`-f ${name} --unlogged-turns keep --images drop --force`);
    expect(dropped.report.kept).toBe(1);
  });
});

test.each([
  [{ content: 'Here it is.', images: [image()] }],
  [{ content: 'Listen.', audio: { id: 'a', data: 'AA==', transcript: 'Listen.' } }],
])('an answer with an image or audio produces no row: %j', async (message) => {
  await using shop = await workshop({ 'a.ndjson': line({ response: answered(message) }) });
  expect((await shop.run()).report.dropped.unsupported_content?.count).toBe(1);
});

describe('an answer that uses a tool of the provider', () => {
  const asking = [{ role: 'user', content: 'Who won?' }];
  const claude = (content: unknown[], messages: unknown[] = asking, usage: object = {}) =>
    line({
      endpoint: 'messages',
      finish: 'end_turn',
      request: { model: 'm', max_tokens: 9, messages },
      response: { id: 'm', type: 'message', role: 'assistant', content, stop_reason: 'end_turn', usage },
    });
  const openai = (output: unknown[], annotations: unknown[] = []) =>
    line({
      endpoint: 'responses',
      request: { model: 'm', input: 'Who won?' },
      response: {
        id: 'r',
        status: 'completed',
        output: [
          ...output,
          {
            type: 'message',
            id: 'm',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Ajax.', annotations }],
          },
        ],
      },
    });
  const gemini = (content: object, more: object = {}, beside: object = {}) =>
    line({
      endpoint: 'gemini',
      finish: 'stop',
      request: { contents: [{ role: 'user', parts: [{ text: 'Who won?' }] }] },
      response: {
        candidates: [{ content: { role: 'model', ...content }, finishReason: 'STOP', ...more }],
        ...beside,
      },
    });
  const interaction = (steps: object[], usage: object = {}, text: object = {}) =>
    line({
      endpoint: 'gemini.interactions',
      finish: 'stop',
      request: { model: 'm', input: 'Who won?' },
      response: {
        id: 'i',
        status: 'completed',
        steps: [...steps, { type: 'model_output', content: [{ type: 'text', text: 'Ajax.', ...text }] }],
        usage,
      },
    });
  const said = { type: 'text', text: 'Ajax.' };
  const use = (type: string, name: string) => ({ type, id: 's', name, input: {} });
  const gave = (type: string) => ({ type, tool_use_id: 's', content: [] });
  const chatted = (message: object, more: object = {}, record: object = {}) =>
    line({ response: { ...answered({ content: 'Ajax.', ...message }), ...more }, ...record });
  const note = {
    type: 'url_citation',
    url_citation: { url: 'https://a', title: 'a', start_index: 0, end_index: 1 },
  };

  test.each([
    [
      'search by Claude',
      claude([use('server_tool_use', 'web_search'), gave('web_search_tool_result'), said]),
    ],
    [
      'a web page fetched by Claude',
      claude([use('server_tool_use', 'web_fetch'), gave('web_fetch_tool_result'), said]),
    ],
    [
      'code run by Claude',
      claude([use('server_tool_use', 'bash_code_execution'), gave('bash_code_execution_tool_result'), said]),
    ],
    [
      'a remote tool called by Claude',
      claude([{ ...use('mcp_tool_use', 'x'), server_name: 's' }, gave('mcp_tool_result'), said]),
    ],
    [
      'an earlier search by Claude',
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
      'code run by Gemini',
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
    [
      'Google Maps in Gemini',
      gemini({ parts: [{ text: 'Ajax.' }] }, { groundingMetadata: { googleMapsWidgetContextToken: 't' } }),
    ],
    [
      'web pages read by Gemini, in the other spelling',
      gemini({ parts: [{ text: 'Ajax.' }] }, { url_context_metadata: { url_metadata: [{ a: 'b' }] } }),
    ],
    [
      'a newer tool of Gemini',
      gemini({ parts: [{ toolCall: { toolType: 'X' } }, { toolResponse: {} }, { text: 'Ajax.' }] }),
    ],
    [
      'tool results counted in Gemini’s usage',
      gemini({ parts: [{ text: 'Ajax.' }] }, {}, { usageMetadata: { toolUsePromptTokenCount: 9 } }),
    ],
    [
      'a citation of a search by Claude',
      claude([{ ...said, citations: [{ type: 'web_search_result_location' }] }]),
    ],
    [
      'a search counted in Claude’s usage',
      claude([said], asking, { server_tool_use: { web_search_requests: 1 } }),
    ],
    ['a newer tool of Responses', openai([{ type: 'some_new_call', id: 'w' }])],
    [
      'a file citation in Responses',
      openai([], [{ type: 'file_citation', file_id: 'f', filename: 'a', index: 0 }]),
    ],
    ['a URL citation in Responses', openai([], [{ type: 'url_citation', url: 'https://a', title: 'a' }])],
    ...['google_search', 'code_execution', 'url_context', 'mcp_server_tool', 'some_new'].map(
      (name): [string, string] => [
        `${name} of interactions`,
        interaction([
          { type: `${name}_call`, id: 'i' },
          { type: `${name}_result`, call_id: 'i' },
        ]),
      ],
    ),
    ['tool results counted in the usage of an interaction', interaction([], { total_tool_use_tokens: 9 })],
    ['a URL citation in an interaction', interaction([], {}, { annotations: [{ type: 'url_citation' }] })],
    ['citations in a chat', chatted({ annotations: [note] })],
    ['a file citation in a chat', chatted({ annotations: [{ type: 'file_citation', file_id: 'f' }] })],
    ['documents in Azure’s answer', chatted({ context: { citations: [{ content: 'a' }] } })],
    ['searches in a chat’s usage', chatted({}, { usage: { num_search_queries: 2 } })],
    [
      'hosted tools in a chat’s usage',
      chatted({}, { usage: { server_tool_use: { web_search_requests: 1 } } }),
    ],
    ['a tool use that was dropped for the client', chatted({}, {}, { answer_dropped: ['hosted_tool (2)'] })],
    [
      'citations that were dropped for a client of Ollama',
      line({
        endpoint: 'ollama.chat',
        request: chat([user('Who won?')]),
        response: {
          model: 'm',
          message: { role: 'assistant', content: 'Ajax.' },
          done: true,
          done_reason: 'stop',
        },
        answer_dropped: ['citation (2)'],
      }),
    ],
    ['web pages listed beside a chat', chatted({}, { search_results: [{ title: 'a', url: 'https://a' }] })],
    ['citations beside a chat', chatted({}, { citations: ['https://a'] })],
    ['tools run in a chat', chatted({ executed_tools: [{ type: 'search' }] })],
  ])('is left out by default: %s', async (_, log) => {
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-pc');
    expect([report.kept, report.dropped.provider_tool?.count]).toEqual([0, 1]);
    expect((await shop.run('-f trl-pc --provider-tools keep --force')).report.kept).toBe(1);
  });

  test('does not include an answer with calls of the client’s own tools', async () => {
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

  test.each([
    [
      'Gemini’s score for a search that it did not make',
      gemini(
        { parts: [{ text: 'Ajax.' }] },
        {
          groundingMetadata: {
            retrievalMetadata: { googleSearchDynamicRetrievalScore: 0.1 },
            groundingChunks: [],
          },
        },
      ),
    ],
    [
      'a citation of the client’s own document',
      claude([{ ...said, citations: [{ type: 'char_location', document_index: 0 }] }]),
    ],
    ['a list of offered tools', openai([{ type: 'mcp_list_tools', id: 'l', server_label: 's', tools: [] }])],
    ['no searches in the usage', chatted({}, { usage: { num_sources_used: 0, server_tool_use: null } })],
    ['a citation that was dropped for the client', chatted({}, {}, { answer_dropped: ['citation'] })],
  ])('is not detected from %s', async (_, log) => {
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('-f trl-pc')).report.kept).toBe(1);
  });

  test.each([
    ['an unknown kind of block', claude([{ type: 'hologram' }, said])],
    ['a file made by Claude', claude([said, { type: 'container_upload', file_id: 'f' }])],
    [
      'a file made by Gemini',
      gemini({ parts: [{ text: 'Ajax.' }, { fileData: { fileUri: 'u', mimeType: 'a/b' } }] }),
    ],
    ['an unknown kind of part', gemini({ parts: [{ text: 'Ajax.' }, { hologram: {} }] })],
    [
      'audio in an interaction',
      interaction([{ type: 'model_output', content: [{ type: 'audio', data: 'A' }] }]),
    ],
    ['an image that was dropped for the client', chatted({}, {}, { answer_dropped: ['image'] })],
  ])('is left out with --provider-tools keep because of other content: %s', async (_, log) => {
    await using shop = await workshop({ 'a.ndjson': log });
    const { report } = await shop.run('-f trl-pc --provider-tools keep');
    expect([report.kept, report.dropped.unsupported_content?.count]).toEqual([0, 1]);
  });

  test('may be in a conversation that only its provider can read', async () => {
    const record = JSON.parse(openai([])) as { request: object };
    const input = [
      { type: 'compaction', id: 'c', encrypted_content: 'e' },
      { role: 'user', content: 'Who won?' },
    ];
    const log = JSON.stringify({ ...record, request: { ...record.request, input } });
    await using shop = await workshop({ 'a.ndjson': log });
    expect((await shop.run('-f trl-pc')).report.dropped.stored_conversation?.count).toBe(1);
  });
});

test('an image in an earlier answer drops the record, or is replaced', async () => {
  const picture = {
    role: 'assistant',
    content: 'Here.',
    images: [{ image_url: { url: 'data:image/png;base64,A' } }],
  };
  const sound = { role: 'assistant', content: null, audio: { id: 'a' } };
  const part = { role: 'assistant', content: [{ type: 'text', text: 'Here.' }, image()] };
  const asks = (earlier: object) =>
    line({ request: chat([user('Draw'), earlier, user('Bluer')]), response: answered({ content: 'No.' }) });
  await using shop = await workshop({ 'a.ndjson': `${asks(picture)}\n${asks(sound)}\n${asks(part)}` });
  const kept = await shop.run('');
  expect([kept.report.kept, kept.report.dropped.unsupported_content?.count]).toEqual([0, 3]);
  for (const images of ['drop', 'url-only']) {
    await shop.run(`--images ${images} --dedup none --force`);
    expect(shop.rows().map(({ messages }) => messages[1]!.content)).toEqual([
      'Here.\n[image]',
      'Here.\n[image]',
    ]);
  }
});

test.each([
  ['reasoning_content', { content: 'Yes.', reasoning_content: 'hm' }],
  ['reasoning', { content: 'Yes.', reasoning: 'hm' }],
  [
    'details',
    { content: 'Yes.', reasoning: null, reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
  ],
  ['a summary', { content: 'Yes.', reasoning_details: [{ type: 'reasoning.summary', summary: 'hm' }] }],
  ['blocks', { content: 'Yes.', thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }] }],
  [
    'parts',
    {
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
        { type: 'text', text: 'Yes.' },
      ],
    },
  ],
  ['the text', { content: '<think>hm</think>Yes.' }],
])('reasoning is found in %s of an answer, and left out if no reasoning is wanted', async (_, message) => {
  await using shop = await workshop({ 'a.ndjson': line({ response: answered(message) }) });
  await shop.run('-f trl');
  const row = (more: object) => ({ role: 'assistant', content: 'Yes.', ...more });
  expect(shop.rows()[0]!.messages[1]).toEqual(row({ reasoning_content: 'hm' }));
  await shop.run('-f openai --force');
  expect(shop.rows()[0]!.messages[1]).toEqual(row({}));
});

test('redacted thinking among the parts of an answer is left out', async () => {
  const content = [
    { type: 'redacted_thinking', data: 'x' },
    { type: 'text', text: 'Yes.' },
  ];
  const request = chat([user('a'), { role: 'assistant', content }, user('b')]);
  await using shop = await workshop({ 'a.ndjson': line({ request, response: answered({ content }) }) });
  await shop.run('-f openai');
  expect(shop.rows()[0]!.messages.map((message) => message.content)).toEqual(['a', 'Yes.', 'b', 'Yes.']);
});

describe('white space beside calls', () => {
  const calling = (content: unknown) => ({
    content,
    tool_calls: [call('abcDEF123', 'look', '{}')],
  });
  const talk = [
    user('Look'),
    { role: 'assistant', ...calling('\n\n') },
    { role: 'tool', tool_call_id: 'abcDEF123', content: 'dark' },
    user('Again'),
  ];
  const tools = { tools: [tool('look')] };
  const log = [
    line({
      request: chat(talk.slice(0, 1), tools),
      response: answered(talk[1]!, 'tool_calls'),
      finish: 'tool_calls',
    }),
    line({
      request: chat(talk.slice(0, 3), tools),
      response: answered({ content: 'It is dark.' }),
    }),
    line({
      request: chat(
        [...talk.slice(0, 3), { role: 'assistant', content: 'It is dark.' }, ...talk.slice(3)],
        tools,
      ),
      response: answered(calling([{ type: 'text', text: ' ' }]), 'tool_calls'),
      finish: 'tool_calls',
    }),
  ];

  const formats = EXPORT_FORMATS.filter((name) => FORMATS[name].sampleKind === 'sft');
  test.each(formats)('is not treated as text in a row of %s', async (name) => {
    await using shop = await workshop({ 'a.ndjson': log.join('') });
    const { report } = await shop.run(`-f ${name}`);
    expect(report.dropped.unreadable).toBeUndefined();
    for (const row of shop.rows()) {
      expect(FORMATS[name].check(row as unknown as JsonObject)).toEqual([]);
      expect(JSON.stringify(row)).not.toMatch(/"(?: |\\n\\n)"/);
    }
    const toolless = name === 'alpaca' || name === 'anthropic';
    expect(report.kept > 0).toBe(!toolless);
  });
});

test('an answer that is a JSON object instead of its text is exported as the text', async () => {
  const found = { name: 'Ada', age: 36 };
  await using shop = await workshop({ 'a.ndjson': line({ response: answered({ content: found }) }) });
  await shop.run('-f trl');
  const [row] = shop.rows() as unknown as Row[];
  expect(row!.messages.at(-1)).toMatchObject({ role: 'assistant', content: JSON.stringify(found) });
});

describe('a long number in place of an object', () => {
  const LONG = '18446744073709551616';
  const logged = (parameters: unknown, message: object) =>
    line({
      request: chat([user('Hi')], { tools: [{ type: 'function', function: { name: 'f', parameters } }] }),
      response: answered(message),
    }).replaceAll('"LONG"', LONG);

  test('is not taken for the parameters of a tool', async () => {
    await using shop = await workshop({ 'a.ndjson': logged('LONG', { content: 'Hello' }) });
    await shop.run('-f fireworks');
    expect(shop.rows()[0]).toMatchObject({ tools: [{ type: 'function', function: { name: 'f' } }] });
    expect(FORMATS.fireworks.check(shop.rows()[0] as unknown as JsonObject)).toEqual([]);
  });

  test('is not taken for the arguments of a call', async () => {
    const calling = { content: null, tool_calls: [call('c', 'f', 'LONG')] };
    await using shop = await workshop({ 'a.ndjson': logged({ maximum: 'LONG' }, calling) });
    expect((await shop.run('-f openai')).report.dropped.invalid_tool_call?.count).toBe(1);
  });
});
