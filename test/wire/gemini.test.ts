import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { geminiProtocol } from '../../src/wire/gemini/protocol.ts';
import { openapiSchema } from '../../src/wire/gemini/schema.ts';

const kept = new Map<string, JsonObject>();

function encoded(request: Partial<ChatRequest>, model = 'gemini-3-pro') {
  let ids = 0;
  const context = { model, quirks: {}, created: 7, newId: () => `id${(ids += 1)}`, memory: kept };
  const messages = [{ role: 'user', content: 'Hi' }];
  return geminiProtocol.encode({ model: 'alias', messages, ...request }, context);
}

const body = (request: Partial<ChatRequest>, model?: string) => encoded(request, model).body;
const contents = (messages: ChatRequest['messages'], model?: string) => body({ messages }, model).contents;
const call = (id: string, name: string, args = '{}', extra: object = {}) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
  ...extra,
});

describe('encode() of a Gemini request', () => {
  test('moves system messages to systemInstruction, and merges turns of one role', () => {
    expect(
      body({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'a' },
          { role: 'user', content: 'b' },
          { role: 'developer', content: 'And kind.' },
          { role: 'assistant', content: 'c' },
          { role: 'user', content: 'd' },
        ],
      }),
    ).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'And kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', parts: [{ text: 'c' }] },
        { role: 'user', parts: [{ text: 'd' }] },
      ],
    });
  });

  test('sends system messages as a user turn if there are no others', () => {
    expect(body({ messages: [{ role: 'system', content: 'x' }] })).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'x' }] }],
    });
  });

  test('sends images, audio and files as data or by URL', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'image_url', image_url: 'https://a.example/b.webp?x=1' },
      { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'c.pdf' } },
    ];
    expect(contents([{ role: 'user', content }])).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
          { fileData: { mimeType: 'image/webp', fileUri: 'https://a.example/b.webp?x=1' } },
          { inlineData: { mimeType: 'audio/mp3', data: 'BBBB' } },
          { inlineData: { mimeType: 'application/pdf', data: 'CCCC' } },
        ],
      },
    ]);
    expect(() => contents([{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }])).toThrow(
      'messages[0].content[0]',
    );
  });

  test('sends results together, as objects named after their calls', () => {
    expect(
      contents(
        [
          { role: 'assistant', content: null, tool_calls: [call('a', 'f', '{"x":1}'), call('b', 'g', '')] },
          { role: 'tool', tool_call_id: 'b', content: '{"ok":true}' },
          { role: 'tool', tool_call_id: 'a', content: 'plain', is_error: true },
          { role: 'user', content: 'so?' },
        ],
        'gemini-2.5-flash',
      ),
    ).toEqual([
      {
        role: 'model',
        parts: [{ functionCall: { name: 'f', args: { x: 1 } } }, { functionCall: { name: 'g', args: {} } }],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'f', response: { error: 'plain' } } },
          { functionResponse: { name: 'g', response: { ok: true } } },
        ],
      },
      { role: 'user', parts: [{ text: 'so?' }] },
    ]);
    expect(() => contents([{ role: 'tool', tool_call_id: 'z', content: '' }])).toThrow('names no call');
  });

  test('sends results as text if their numbers would lose precision', () => {
    const [, result] = contents([
      { role: 'assistant', content: null, tool_calls: [call('a', 'f', '[]')] },
      { role: 'tool', tool_call_id: 'a', content: '218922995834555169026' },
    ]) as { parts: object[] }[];
    const response = { result: '218922995834555169026' };
    expect(result!.parts).toEqual([{ functionResponse: { id: 'a', name: 'f', response } }]);
  });

  test('sends signatures from the client or from memory, or a placeholder for a lost one', () => {
    const signed = { extra_content: { google: { thought_signature: 'own' } } };
    kept.set('b', { extra_content: { google: { thought_signature: 'kept' } } });
    const of = (...calls: object[]) =>
      (
        contents([{ role: 'assistant', content: null, tool_calls: calls as never }]) as {
          parts: JsonObject[];
        }[]
      )[0]!.parts.map(({ thoughtSignature }) => thoughtSignature);
    expect(of(call('a', 'f', '{}', signed), call('x', 'g'))).toEqual(['own', undefined]);
    expect(of(call('b', 'f'))).toEqual(['kept']);
    expect(of(call('c', 'f'))).toEqual(['skip_thought_signature_validator']);
  });

  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [
      { type: 'function' as const, function: { name: 'f' } },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
  ] as const)('maps the tool choice %j', (tool_choice, functionCallingConfig) => {
    const parameters = { type: 'object', properties: { x: { type: 'string' } }, additionalProperties: false };
    const tools = [
      { type: 'function', function: { name: 'f', description: 'd', parameters } },
      { type: 'function', function: { name: 'g', parameters: { type: 'object', properties: {} } } },
    ];
    expect(body({ tools, tool_choice })).toMatchObject({
      tools: [
        {
          functionDeclarations: [
            { name: 'f', description: 'd', parametersJsonSchema: parameters },
            { name: 'g' },
          ],
        },
      ],
      toolConfig: { functionCallingConfig },
    });
  });

  test('maps parameters and reports the others as dropped', () => {
    const { body: made, dropped } = encoded({
      max_completion_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      top_k: 4,
      n: 2,
      stop: 'x',
      seed: 3,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logprobs: true,
      top_logprobs: 2,
      user: 'u',
      logit_bias: { 7: 1 },
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
    });
    expect(made.generationConfig).toEqual({
      maxOutputTokens: 9,
      temperature: 0,
      topP: 0.5,
      topK: 4,
      candidateCount: 2,
      stopSequences: ['x'],
      seed: 3,
      responseLogprobs: true,
      logprobs: 2,
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object' },
    });
    expect(dropped).toEqual(['logit_bias', 'user', 'presence_penalty', 'frequency_penalty']);
  });

  test.each([
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }],
    ['gemini-2.5-flash', 'medium', { thinkingBudget: 8_192, includeThoughts: true }],
    ['gemini-3-pro', 'low', { thinkingLevel: 'LOW', includeThoughts: true }],
    ['gemini-3-flash', 'max', { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['gemini-2.0-flash', 'high', undefined],
  ])('asks %s to think with effort %s', (model, reasoning_effort, thinkingConfig) => {
    const { generationConfig } = body({ reasoning_effort }, model);
    expect((generationConfig as JsonObject | undefined)?.thinkingConfig).toEqual(thinkingConfig);
  });

  test('converts schemas for older models with openapiSchema()', () => {
    const schema = {
      type: 'object',
      $defs: { City: { type: 'string', description: 'c' } },
      properties: {
        city: { $ref: '#/$defs/City' },
        kind: { const: 'a' },
        size: { type: ['integer', 'null'] },
        list: { type: 'array', items: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/City' }] } },
      },
      required: ['city'],
      additionalProperties: false,
    };
    expect(openapiSchema(schema)).toEqual({
      type: 'object',
      properties: {
        city: { type: 'string', description: 'c' },
        kind: { enum: ['a'], type: 'string' },
        size: { type: 'integer', nullable: true },
        list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'string', description: 'c' }] } },
      },
      required: ['city'],
    });
    const endless: JsonObject = { type: 'object', properties: { next: { $ref: '#' } } };
    expect(JSON.stringify(openapiSchema(endless)).length).toBeLessThan(1_000);
  });
});

describe('decode() of a Gemini answer', () => {
  const usageMetadata = {
    promptTokenCount: 10,
    toolUsePromptTokenCount: 2,
    cachedContentTokenCount: 4,
    candidatesTokenCount: 5,
    thoughtsTokenCount: 3,
  };

  test('returns a chat completion', () => {
    const answer = encoded({}).decode({
      candidates: [
        {
          content: {
            parts: [
              { text: 'hm', thought: true },
              { text: 'Hi', thoughtSignature: 't' },
              { functionCall: { name: 'f', args: { x: 1 } }, thoughtSignature: 's' },
              { functionCall: { id: 'own', name: 'g' } },
            ],
          },
          finishReason: 'STOP',
        },
      ],
      usageMetadata,
      modelVersion: 'gemini-3-pro-001',
      responseId: 'r',
    });
    expect(answer).toEqual({
      id: 'chatcmpl-r',
      object: 'chat.completion',
      created: 7,
      model: 'gemini-3-pro-001',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            refusal: null,
            reasoning_content: 'hm',
            tool_calls: [
              { ...call('call_id1', 'f', '{"x":1}'), extra_content: { google: { thought_signature: 's' } } },
              call('own', 'g'),
            ],
            extra_content: { google: { thought_signature: 't' } },
          },
          logprobs: null,
          finish_reason: 'tool_calls',
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 8,
        total_tokens: 20,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    expect(kept.get('call_id1')).toEqual({ extra_content: { google: { thought_signature: 's' } } });
  });

  test('returns content_filter for a blocked prompt, as stream() does', () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata };
    expect(encoded({}).decode(blocked).choices[0]).toMatchObject({ finish_reason: 'content_filter' });
    const reader = encoded({}).stream();
    const chunks = [...reader.push({ data: JSON.stringify(blocked) }), ...reader.end()];
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('content_filter');
    expect(() => encoded({}).decode({ usageMetadata })).toThrow('no candidates');
  });

  test.each([
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'MALFORMED_FUNCTION_CALL'],
    ['OTHER', 'OTHER'],
  ])('maps the finish reason %s to %s', (finishReason, finish) => {
    const answer = encoded({}).decode({ candidates: [{ content: {}, finishReason }] });
    expect(answer.choices[0]?.finish_reason).toBe(finish);
  });

  test('returns no finish reason if the answer has none', () => {
    const content = { parts: [{ functionCall: { name: 'f', args: {} } }] };
    const answer = encoded({}).decode({ candidates: [{ content }] });
    expect(answer.choices[0]?.finish_reason).toBeNull();
  });
});

describe('stream() of a Gemini answer', () => {
  const event = (parts: object[], more: object = {}) => ({
    data: JSON.stringify({ candidates: [{ content: { parts }, ...more }], responseId: 'r' }),
  });

  test('is not done if the stream is cut off', () => {
    const reader = encoded({}).stream();
    const chunks = [...reader.push(event([{ text: 'Hi' }])), ...reader.end()];
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'Hi' },
    ]);
    expect(reader.done).toBeFalse();
  });

  test('ends with the usage even if it comes after the finish reason', () => {
    const reader = encoded({}).stream();
    const chunks = [
      ...reader.push(event([{ text: 'Hi' }], { finishReason: 'STOP' })),
      ...reader.push({
        data: JSON.stringify({ usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 } }),
      }),
      ...reader.end(),
    ];
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 3 } });
    expect(reader.done).toBeTrue();
  });

  test('reports errors, even within a list, and skips what is not JSON', () => {
    const reader = encoded({}).stream();
    expect(reader.push({ data: '{"candi' })).toEqual([]);
    expect(reader.malformed).toBe(1);
    reader.push({ data: '[{"error":{"code":503,"message":"busy"}}]' });
    expect(reader.error).toEqual({ error: { code: 503, message: 'busy' } });
  });
});
