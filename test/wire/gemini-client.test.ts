/** Requests of Gemini clients as chat requests, and chat answers as Gemini answers. */
import { describe, expect, test } from 'bun:test';
import type { ChatChunk, ChatResponse } from '../../src/wire/chat.ts';
import { streamOf } from '../helpers/written.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { geminiClient } from '../../src/wire/gemini/client.ts';
import { jsonSchemaOf } from '../../src/wire/gemini/client-schema.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { checkGeminiStream } from '../helpers/grammar/gemini.ts';
import { geminiProblems } from '../helpers/published/gemini.ts';

const CONTEXT = {
  created: 5,
  newId: () => 'new',
  memory: NO_MEMORY,
  asked: { model: 'm', stream: false },
};
const user = (...parts: object[]) => ({ role: 'user', parts });
const model = (...parts: object[]) => ({ role: 'model', parts });
const decode = (body: object) => geminiClient.decode(body as JsonObject, CONTEXT);
const hi = { contents: [user({ text: 'hi' })] };
const asked = (more: object) => {
  const { model: _, messages: _m, ...rest } = decode({ ...hi, ...more }).request;
  return rest;
};

describe('decode() of a Gemini request', () => {
  test.each([
    [
      { generationConfig: { temperature: 1.5, topP: 0.5, topK: 4 } },
      { temperature: 1.5, top_p: 0.5, top_k: 4 },
    ],
    [
      { generation_config: { max_output_tokens: '100', stop_sequences: ['x'] } },
      { max_tokens: 100, stop: ['x'] },
    ],
    [{ generationConfig: { maxOutputTokens: 0, candidateCount: 1 } }, {}],
    [{ generationConfig: { candidateCount: 2, seed: -3 } }, { n: 2, seed: -3 }],
    [{ generationConfig: { responseLogprobs: true, logprobs: 3 } }, { logprobs: true, top_logprobs: 3 }],
    [
      { generationConfig: { presencePenalty: 1, frequencyPenalty: -1 } },
      { presence_penalty: 1, frequency_penalty: -1 },
    ],
    [
      { generationConfig: { responseMimeType: 'application/json' } },
      { response_format: { type: 'json_object' } },
    ],
    [{ generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }, { modalities: ['text', 'image'] }],
    [{ generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } }, { reasoning_effort: 'low' }],
    [{ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }, { reasoning_effort: 'none' }],
    [{ generationConfig: { thinkingConfig: { thinkingBudget: -1 } } }, {}],
    [{ generationConfig: { thinkingConfig: { thinkingBudget: 9_000 } } }, { reasoning_effort: 'high' }],
    [{ serviceTier: 'FLEX' }, { service_tier: 'flex' }],
    [
      { tools: [{ google_search: { exclude_domains: ['a.example'] } }] },
      {
        hosted_tools: [
          { name: 'web_search', word: 'tools.googleSearch', options: { blocked_domains: ['a.example'] } },
        ],
      },
    ],
    [
      { tools: [{ urlContext: {} }] },
      { hosted_tools: [{ name: 'web_fetch', word: 'tools.urlContext', options: {} }] },
    ],
    [{ toolConfig: { functionCallingConfig: { mode: 'ANY' } } }, {}],
  ])('turns %j into %j', (more, expected) => {
    expect(asked(more) as object).toEqual(expected);
  });

  const f = { name: 'f', parametersJsonSchema: { type: 'object' } };
  test.each([
    [{ mode: 'AUTO' }, 'auto', 2],
    [{ mode: 'any' }, 'required', 2],
    [{ mode: 'NONE' }, 'none', 2],
    [{ mode: 'VALIDATED' }, 'auto', 2],
    [{ mode: 'ANY', allowedFunctionNames: ['f'] }, { type: 'function', function: { name: 'f' } }, 2],
    [{ mode: 'ANY', allowed_function_names: ['f', 'h'] }, 'required', 1],
  ])('maps the function calling config %j', (functionCallingConfig, choice, count) => {
    const tools = [{ functionDeclarations: [f, { name: 'g' }] }];
    const request = asked({ tools, toolConfig: { functionCallingConfig } });
    expect(request.tool_choice as unknown).toEqual(choice);
    expect(request.tools).toHaveLength(count);
  });

  test('accepts Gemini schemas and JSON Schema as response format', () => {
    const properties = {
      a: { type: 'STRING', nullable: true },
      b: { type: 'ARRAY', items: { type: 'INTEGER' } },
    };
    const responseSchema = { type: 'OBJECT', properties, propertyOrdering: ['a'], minProperties: '1' };
    const schema = {
      type: 'object',
      properties: { a: { type: ['string', 'null'] }, b: { type: 'array', items: { type: 'integer' } } },
      minProperties: 1,
    };
    expect(jsonSchemaOf(responseSchema)).toEqual(schema);
    const numbered = { a: { type: 1, nullable: true }, b: { type: 5, items: { type: 3 } } };
    expect(jsonSchemaOf({ ...responseSchema, type: 6, properties: numbered })).toEqual(schema);
    expect(jsonSchemaOf({ type: 0 })).toEqual({});
    const config = { responseMimeType: 'application/json' };
    const [own, standard] = [{ responseSchema }, { responseJsonSchema: schema }].map(
      (each) => asked({ generationConfig: { ...config, ...each } }).response_format,
    );
    expect(own).toEqual(standard!);
    expect(own?.json_schema?.schema).toEqual(schema);
  });

  test('turns contents into messages, in order', () => {
    const call = (name: string, args: object) => ({ functionCall: { name, args } });
    const result = (name: string, response: object) => ({ functionResponse: { name, response } });
    const { messages } = decode({
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: [
        user({ text: 'a' }, { inline_data: { mime_type: 'image/png', data: 'aGk_' } }),
        model({ text: 'Hm.', thought: true }, { text: 'So' }, call('f', { x: 1 }), call('f', { x: 2 })),
        user(result('f', { name: 'f', content: 'one' }), result('f', { error: 'no' }), { text: 'and?' }),
        model({ fileData: { mimeType: 'image/png', fileUri: 'https://x/y.png' } }),
        user({ fileData: { mimeType: 'application/pdf', fileUri: 'https://x/y.pdf' } }),
      ],
    }).request;
    expect(messages as object[]).toEqual([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk/' } },
        ],
      },
      {
        role: 'assistant',
        content: 'So',
        reasoning_content: 'Hm.',
        tool_calls: [
          { id: 'call_n1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'call_n2', type: 'function', function: { name: 'f', arguments: '{"x":2}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_n1', content: 'one' },
      { role: 'tool', tool_call_id: 'call_n2', content: 'no', is_error: true },
      { role: 'user', content: 'and?' },
      expect.objectContaining({ role: 'assistant' }),
      {
        role: 'user',
        content: [{ type: 'file', file: { file_data: 'https://x/y.pdf', filename: 'file.pdf' } }],
      },
    ]);
  });

  test('matches function responses with calls by id, in any order', () => {
    const { messages } = decode({
      contents: [
        user({ text: 'a' }),
        model({ functionCall: { id: '1', name: 'f' } }, { functionCall: { id: '2', name: 'f' } }),
        user(
          {
            functionResponse: {
              id: '2',
              name: 'f',
              response: { a: 1 },
              parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }],
            },
          },
          { functionResponse: { id: '1', name: 'f', response: { b: 2 } } },
        ),
      ],
    }).request;
    expect(messages.slice(2) as object[]).toEqual([
      {
        role: 'tool',
        tool_call_id: '2',
        content: [
          { type: 'text', text: '{"a":1}' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
        ],
      },
      { role: 'tool', tool_call_id: '1', content: '{"b":2}' },
    ]);
  });

  test.each([
    ['Be brief.'],
    [{ text: 'Be brief.' }],
    [{ role: 'system', parts: [{ text: 'Be brief.' }] }],
    [['Be brief.']],
    [[{ text: 'Be brief.' }]],
    [[{ parts: [{ text: 'Be brief.' }] }]],
  ])('turns the instruction %j into a system message', (systemInstruction) => {
    const { request, dropped } = decode({ ...hi, systemInstruction });
    expect([request.messages[0], dropped]).toEqual([{ role: 'system', content: 'Be brief.' }, []]);
  });

  test('keeps the URLs of media, with a part type for each kind', () => {
    const file = (mimeType: string) => ({ fileData: { mimeType, fileUri: 'https://a.example/x' } });
    const parts = [file('image/png'), file('video/mp4'), file('audio/wav'), file('application/pdf')];
    expect(decode({ contents: [user(...parts)] }).request.messages[0]?.content).toEqual([
      { type: 'image_url', image_url: { url: 'https://a.example/x' } },
      { type: 'video_url', video_url: { url: 'https://a.example/x' } },
      { type: 'audio_url', audio_url: { url: 'https://a.example/x' } },
      { type: 'file', file: { file_data: 'https://a.example/x', filename: 'file.pdf' } },
    ]);
  });

  test('reports fields that chat does not have as dropped', () => {
    const { dropped } = decode({
      contents: [
        user({ text: 'a', videoMetadata: {} }, { toolCall: {} }),
        model({ function_call: { name: 'f', will_continue: true } }),
      ],
      safety_settings: [],
      labels: {},
      tools: [{ googleMaps: {} }, { functionDeclarations: [{ name: 'f', behavior: 'BLOCKING' }] }],
      toolConfig: { retrievalConfig: {} },
      generationConfig: {
        mediaResolution: 'LOW',
        responseMimeType: 'text/x.enum',
        responseSchema: { type: 'STRING', enum: ['a'] },
        response_json_schema: { type: 'string' },
        thinkingConfig: { includeThoughts: true, thinking_speed: 1 },
      },
    });
    expect(dropped.toSorted()).toEqual(
      [
        'safetySettings',
        'labels',
        'generationConfig.mediaResolution',
        'generationConfig.responseMimeType',
        'generationConfig.responseSchema',
        'generationConfig.responseJsonSchema',
        'generationConfig.thinkingConfig.thinkingSpeed',
        'parts.videoMetadata',
        'parts.toolCall',
        'functionCall.willContinue',
        'tools.googleMaps',
        'functionDeclarations.behavior',
        'toolConfig.retrievalConfig',
      ].toSorted(),
    );
  });

  test.each([
    [{}, 'contents'],
    [{ contents: 'x' }, 'contents'],
    [{ contents: [1] }, 'contents[0]'],
    [{ contents: [{ role: 'user' }] }, 'contents[0].parts'],
    [{ contents: [{ role: 'robot', parts: [{ text: 'x' }] }] }, 'contents[0].role'],
    [{ contents: [user({})] }, 'contents[0].parts[0]'],
    [{ contents: [user({ text: 5 })] }, 'contents[0].parts[0].text'],
    [{ contents: [user({ functionCall: { name: 'f' } })] }, 'contents[0].parts[0]'],
    [{ contents: [user({ inlineData: { mimeType: 'image/png' } })] }, 'contents[0].parts[0].inlineData.data'],
    [{ contents: [model({ functionCall: { args: {} } })] }, 'contents[0].parts[0].functionCall.name'],
    [{ ...hi, systemInstruction: 5 }, 'systemInstruction'],
    [{ ...hi, systemInstruction: { parts: [{ text: 5 }] } }, 'systemInstruction.parts[0].text'],
    [{ ...hi, systemInstruction: ['a', 5] }, 'systemInstruction[1]'],
    [{ ...hi, generationConfig: [] }, 'generationConfig'],
    [{ ...hi, generationConfig: { temperature: 'hot' } }, 'generationConfig.temperature'],
    [{ ...hi, generationConfig: { candidateCount: 9 } }, 'generationConfig.candidateCount'],
    [{ ...hi, generationConfig: { stopSequences: [1] } }, 'generationConfig.stopSequences[0]'],
    [
      { ...hi, generationConfig: { thinkingConfig: { thinkingLevel: 'LOUD' } } },
      'generationConfig.thinkingConfig.thinkingLevel',
    ],
    [{ ...hi, tools: [{ functionDeclarations: [{}] }] }, 'tools[0].functionDeclarations[0].name'],
    [
      { ...hi, toolConfig: { functionCallingConfig: { mode: 'MAYBE' } } },
      'toolConfig.functionCallingConfig.mode',
    ],
    [{ ...hi, cachedContent: 'cachedContents/1' }, 'cachedContent'],
    [
      {
        ...hi,
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
        tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['g', 'h'] } },
      },
      'toolConfig.functionCallingConfig.allowedFunctionNames',
    ],
  ])('refuses %j and names the invalid field', (body, param) => {
    let thrown: unknown;
    try {
      decode(body);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProxyError);
    expect((thrown as ProxyError).param).toBe(param);
  });
});

const CHOICE = { index: 0, logprobs: null };
const response = (message: object, finish: string, more: object = {}) =>
  ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 5,
    model: 'up',
    choices: [{ ...CHOICE, message: { role: 'assistant', ...message }, finish_reason: finish, ...more }],
  }) as unknown as ChatResponse;
const chunk = (delta: object, finish: string | null = null, more: object = {}) =>
  ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 5,
    model: 'up',
    choices: [{ ...CHOICE, delta, finish_reason: finish, ...more }],
  }) as ChatChunk;

function candidateOf(answer: ChatResponse): JsonObject {
  const body = decode({ ...hi, generationConfig: { thinkingConfig: { includeThoughts: true } } }).encode(
    answer,
  );
  expect(geminiProblems('answer', body)).toEqual([]);
  return (body.candidates as JsonObject[])[0]!;
}

describe('encode() of a Gemini answer', () => {
  test.each([
    ['stop', 'STOP'],
    ['tool_calls', 'STOP'],
    ['length', 'MAX_TOKENS'],
    ['content_filter', 'SAFETY'],
    ['odd_word', 'OTHER'],
  ])('maps the finish reason %s to %s', (finish, reason) => {
    expect(candidateOf(response({ content: 'x' }, finish)).finishReason).toBe(reason);
  });

  test('uses the finish reason SAFETY for a refusal', () => {
    expect(candidateOf(response({ content: null, refusal: 'No.' }, 'stop'))).toMatchObject({
      content: { parts: [{ text: 'No.' }] },
      finishReason: 'SAFETY',
    });
  });

  test('returns citations with byte offsets', () => {
    const cited = { url: 'https://x', title: 'X', start_index: 2, end_index: 4 };
    const { groundingMetadata } = candidateOf(
      response({ content: 'é so', annotations: [{ type: 'url_citation', url_citation: cited }] }, 'stop'),
    );
    expect(groundingMetadata).toEqual({
      groundingChunks: [{ web: { uri: 'https://x', title: 'X' } }],
      groundingSupports: [
        { segment: { startIndex: 3, endIndex: 5, text: 'so' }, groundingChunkIndices: [0] },
      ],
    });
  });

  test('returns images, executed code and log probabilities', () => {
    const parts = [
      { type: 'hosted_call', id: '1', name: 'code_execution', input: '{"code":"1+1"}' },
      { type: 'hosted_result', id: '1', name: 'code_execution', sources: [], output: '2' },
      { type: 'text', text: 'Two' },
      { type: 'image', url: 'data:image/png;base64,aGk=' },
    ];
    const token = {
      token: 'Two',
      logprob: -0.5,
      bytes: null,
      top_logprobs: [{ token: 'Two', logprob: -0.5 }],
    };
    const candidate = candidateOf(response({ parts }, 'stop', { logprobs: { content: [token] } }));
    expect(candidate).toMatchObject({
      content: {
        parts: [
          { executableCode: { language: 'PYTHON', code: '1+1' } },
          { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '2' } },
          { text: 'Two' },
          { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
        ],
      },
      avgLogprobs: -0.5,
      logprobsResult: { chosenCandidates: [{ token: 'Two', logProbability: -0.5 }] },
    });
  });
});

describe('stream() of a Gemini answer', () => {
  const written = (...chunks: ChatChunk[]) => {
    const writer = geminiClient
      .decode({ ...hi, generationConfig: { thinkingConfig: { includeThoughts: true } } }, CONTEXT)
      .stream();
    const { value, problems } = checkGeminiStream(streamOf(chunks, writer));
    expect(problems).toEqual([]);
    return (value.candidates as JsonObject[])[0]!;
  };
  const call = (index: number, piece: object) => ({ tool_calls: [{ index, ...piece }] });

  test('sends each call in full and in order, even if its pieces are mixed with text', () => {
    const { content, finishReason } = written(
      chunk({ role: 'assistant', content: '' }),
      chunk(call(0, { id: 'a', function: { name: 'f', arguments: '{"x":' } })),
      chunk({ content: 'and' }),
      chunk(call(1, { id: 'b', function: { name: 'g', arguments: '' } })),
      chunk(call(0, { function: { arguments: '1}' } })),
      chunk({}, 'tool_calls'),
    );
    expect(content).toEqual({
      role: 'model',
      parts: [
        { functionCall: { id: 'a', name: 'f', args: { x: 1 } } },
        { text: 'and' },
        { functionCall: { id: 'b', name: 'g', args: {} } },
        { text: '' },
      ],
    });
    expect(finishReason).toBe('STOP');
  });

  test('leaves out a call with truncated arguments, and says so in finishMessage', () => {
    const candidate = written(
      chunk(call(0, { id: 'a', function: { name: 'f', arguments: '{"x":' } })),
      chunk({}, 'length'),
    );
    expect(candidate).toMatchObject({
      content: { parts: [{ text: '' }] },
      finishReason: 'MAX_TOKENS',
      finishMessage: 'The arguments of the call of "f" were cut.',
    });
  });

  test('sends a signature with the part that follows it', () => {
    const seal = { type: 'thinking', thinking: 'Hm.', signature: 's' };
    const { content } = written(
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ thinking_blocks: [seal] }),
      chunk({ content: 'So' }),
      chunk({}, 'stop'),
    );
    const { messages } = decode({
      contents: [user({ text: 'a' }), content as object, user({ text: 'b' })],
    }).request;
    expect(messages[1]).toEqual({
      role: 'assistant',
      content: 'So',
      reasoning_content: 'Hm.',
      thinking_blocks: [seal],
    } as never);
  });
});
