import { describe, expect, test } from 'bun:test';
import type { ChatRequest } from '../../src/wire/chat.ts';
import type { JsonObject } from '../../src/wire/json.ts';
import { ProxyError } from '../../src/errors.ts';
import { decodeGeminiCount, encodeGeminiCount, encodeVertexCount } from '../../src/wire/gemini/count.ts';
import { geminiProtocol } from '../../src/wire/gemini/protocol.ts';
import { openapiSchema } from '../../src/wire/gemini/schema.ts';

const NEW = 'gemini-3.7-flash';
const BUDGETED = 'gemini-2.5-flash';
const OLD = 'gemini-2.0-flash';

function contextOf(model: string, keeps: string[] = []) {
  const memory = { get: () => undefined, set: () => undefined };
  return { model, quirks: { keeps }, created: 1, newId: () => 'abc', memory };
}

function encode(request: Partial<ChatRequest> = {}, model = NEW, keeps: string[] = []) {
  const whole = { model: 'any', messages: [{ role: 'user', content: 'Hi' }], ...request };
  return geminiProtocol.encode(whole, contextOf(model, keeps));
}

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ProxyError) return thrown.fault;
    throw thrown;
  }
  return 'none';
}

const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }];
const config = (request: Partial<ChatRequest>, model?: string) =>
  encode(request, model).body.generationConfig;
const schema = { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] };
const tool = (name: string, parameters: unknown = schema) => ({
  type: 'function',
  function: { name, description: 'Looks', parameters, strict: true },
});

test('encode() sends only the contents of a plain request', () => {
  const { body, dropped } = encode();
  expect({ body, dropped }).toEqual({ body: { contents }, dropped: [] });
});

test('encode() refuses a request without messages', () => {
  expect(faultOf(() => encode({ messages: [] }))).toBe('invalid_request');
});

describe('system messages', () => {
  const messages = [
    { role: 'system', content: 'Be brief' },
    { role: 'user', content: 'Hi' },
    { role: 'developer', content: [{ type: 'text', text: 'Be kind' }] },
  ];

  test('are sent as systemInstruction, wherever they are in the conversation', () => {
    const systemInstruction = { parts: [{ text: 'Be brief' }, { text: 'Be kind' }] };
    expect(encode({ messages }).body).toEqual({ contents, systemInstruction });
  });

  test('are put into the first user turn for Gemma 3, which has no system instruction', () => {
    const parts = [{ text: 'Be brief' }, { text: 'Be kind' }, { text: 'Hi' }];
    expect(encode({ messages }, 'gemma-3-27b-it').body).toEqual({ contents: [{ role: 'user', parts }] });
  });
});

describe('parameters', () => {
  test('are sent in generationConfig', () => {
    const request = {
      max_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      top_k: 5,
      stop: ['a', '', 'b'],
      seed: 7,
      n: 2,
    };
    expect(config(request)).toEqual({
      maxOutputTokens: 9,
      temperature: 0,
      topP: 0.5,
      topK: 5,
      stopSequences: ['a', 'b'],
      seed: 7,
      candidateCount: 2,
    });
    expect(config({ max_completion_tokens: 8, max_tokens: 9, stop: 'x', n: 1 })).toEqual({
      maxOutputTokens: 8,
      stopSequences: ['x'],
    });
    expect(config({ temperature: null, stop: null, seed: null })).toBeUndefined();
  });

  test('include the seed, reduced to 32 bits', () => {
    expect(config({ seed: 2 ** 40 + 5 })).toEqual({ seed: 5 });
    expect(config({ seed: 2 ** 31 })).toEqual({ seed: -(2 ** 31) });
  });

  test('include penalties if the model or the configured quirks accept them', () => {
    const request = { presence_penalty: 0.5, frequency_penalty: 0 };
    const both = { generationConfig: { presencePenalty: 0.5, frequencyPenalty: 0 } };
    expect(encode(request, OLD)).toMatchObject({ body: both, dropped: [] });
    expect(encode(request, BUDGETED, ['presence_penalty'])).toMatchObject({ body: both, dropped: [] });
    const { body, dropped } = encode(request, BUDGETED);
    expect({ body, dropped }).toEqual({ body: { contents }, dropped: ['presence_penalty'] });
  });

  test('include log probabilities', () => {
    expect(config({ logprobs: true, top_logprobs: 3 })).toEqual({ responseLogprobs: true, logprobs: 3 });
    expect(config({ logprobs: false })).toBeUndefined();
  });

  test('include modalities in capital letters', () => {
    expect(config({ modalities: ['text', 'image'] })).toEqual({ responseModalities: ['TEXT', 'IMAGE'] });
  });

  test('that Gemini lacks are reported as dropped', () => {
    const request = {
      logit_bias: { 7: 1 },
      user: 'u',
      store: true,
      service_tier: 'scale',
      parallel_tool_calls: false,
    };
    const { body, dropped } = encode(request);
    expect(body).toEqual({ contents });
    expect(dropped).toEqual(['logit_bias', 'user', 'store', 'parallel_tool_calls', 'service_tier']);
    expect(encode({ parallel_tool_calls: true, user: undefined, store: null }).dropped).toEqual([]);
  });
});

describe('the reasoning effort', () => {
  const thinking = (request: Partial<ChatRequest>, model: string) =>
    (config(request, model) as JsonObject | undefined)?.thinkingConfig;

  test.each([
    [BUDGETED, 'none', 0],
    [BUDGETED, 'minimal', 512],
    [BUDGETED, 'low', 1_024],
    [BUDGETED, 'medium', 8_192],
    [BUDGETED, 'high', 24_576],
    [BUDGETED, 'xhigh', 24_576],
    [BUDGETED, 'who knows', -1],
    ['gemini-2.5-flash-lite', 'none', 0],
    ['gemini-2.5-pro', 'none', 128],
    ['gemini-2.5-pro', 'max', 32_768],
  ])('becomes a thinking budget for %s: %s', (model, effort, thinkingBudget) => {
    const shown = effort === 'none' ? {} : { includeThoughts: true };
    expect(thinking({ reasoning_effort: effort }, model)).toEqual({ thinkingBudget, ...shown });
  });

  test.each([
    ['gemini-3-flash-preview', 'none', 'MINIMAL'],
    ['gemini-3-flash-preview', 'medium', 'MEDIUM'],
    ['gemini-3.1-flash-lite', 'minimal', 'MINIMAL'],
    ['gemini-3.7-flash', 'minimal', 'LOW'],
    ['gemini-3.1-pro-preview', 'none', 'LOW'],
    ['gemini-3.1-pro-preview', 'max', 'HIGH'],
    ['gemini-flash-latest', 'low', 'LOW'],
    ['gemini-3.1-flash-image', 'medium', 'HIGH'],
    ['gemma-4-31b-it', 'low', 'MINIMAL'],
    ['gemma-4-31b-it', 'high', 'HIGH'],
  ])('becomes a thinking level that the model has for %s: %s', (model, effort, thinkingLevel) => {
    const shown = effort === 'none' ? {} : { includeThoughts: true };
    expect(thinking({ reasoning_effort: effort }, model)).toEqual({ thinkingLevel, ...shown });
  });

  test('gives way to an exact Anthropic budget for models with budgets', () => {
    const request = { reasoning_effort: 'medium', thinking: { type: 'enabled', budget_tokens: 5_000 } };
    expect(thinking(request, BUDGETED)).toEqual({ thinkingBudget: 5_000, includeThoughts: true });
    expect(thinking(request, NEW)).toEqual({ thinkingLevel: 'MEDIUM', includeThoughts: true });
    expect(thinking({ thinking: { type: 'disabled' } }, BUDGETED)).toEqual({ thinkingBudget: 0 });
    expect(thinking({ thinking: { type: 'adaptive' } }, NEW)).toEqual({ includeThoughts: true });
  });

  test('is dropped if the model does not support it', () => {
    expect(encode({ reasoning_effort: 'high' }, OLD)).toMatchObject({ dropped: ['reasoning_effort'] });
    expect(encode({ reasoning_effort: 'none' }, OLD).dropped).toEqual([]);
    expect(encode({ reasoning_effort: 'low' }, 'gemini-2.5-flash-image').body).toEqual({ contents });
    expect(config({ reasoning_effort: null })).toBeUndefined();
  });
});

describe('functions', () => {
  const declared = { name: 'look', description: 'Looks', parametersJsonSchema: schema };

  test('keep their JSON Schema if the model accepts it', () => {
    expect(encode({ tools: [tool('look')] }).body.tools).toEqual([{ functionDeclarations: [declared] }]);
  });

  test('without parameters have no schema instead of an empty object', () => {
    const parameters = (value: unknown) => {
      const [{ functionDeclarations: list }] = encode({ tools: [tool('f', value)] }).body.tools as [
        { functionDeclarations: JsonObject[] },
      ];
      return list[0]!.parametersJsonSchema;
    };
    for (const empty of [
      null,
      {},
      { type: 'object' },
      { type: 'object', properties: {}, additionalProperties: false },
    ]) {
      expect(parameters(empty)).toBeUndefined();
    }
    const open = { type: 'object', additionalProperties: { type: 'string' } };
    expect(parameters(open)).toEqual(open);
    const composed = { $ref: '#/$defs/a', $defs: { a: schema } };
    expect(parameters(composed)).toEqual(composed);
  });

  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [
      { type: 'function', function: { name: 'look' } },
      { mode: 'ANY', allowedFunctionNames: ['look'] },
    ],
  ])('are chosen by %j', (tool_choice, functionCallingConfig) => {
    const { body } = encode({ tools: [tool('look')], tool_choice: tool_choice as 'auto' });
    expect(body.toolConfig).toEqual({ functionCallingConfig });
  });

  test('that are not in allowed_tools are not sent', () => {
    const allowed_tools = { mode: 'auto', tools: [{ type: 'function', function: { name: 'look' } }] };
    const tool_choice = { type: 'allowed_tools', allowed_tools } as unknown as 'auto';
    expect(encode({ tools: [tool('hear'), tool('look')], tool_choice }).body).toEqual({
      contents,
      tools: [{ functionDeclarations: [declared] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    });
  });

  test('are the only tools: others are dropped, along with a tool choice that is left without tools', () => {
    const tools = [{ type: 'web_search' }] as unknown as ChatRequest['tools'] & object;
    const { body, dropped } = encode({ tools, tool_choice: 'auto' });
    expect({ body, dropped }).toEqual({ body: { contents }, dropped: ['tools[0]'] });
  });

  test('without a name are refused, and so is the choice of a custom tool', () => {
    expect(faultOf(() => encode({ tools: [tool('')] }))).toBe('invalid_request');
    const tool_choice = { type: 'custom', custom: { name: 'x' } } as unknown as 'auto';
    expect(faultOf(() => encode({ tools: [tool('look')], tool_choice }))).toBe('unsupported');
  });
});

describe('the response format', () => {
  const json = { responseMimeType: 'application/json' };
  const asked = { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } };

  test('is sent as JSON with a schema', () => {
    expect(config({ response_format: { type: 'json_object' } })).toEqual(json);
    expect(config({ response_format: { type: 'text' } })).toBeUndefined();
    expect(config({ response_format: asked })).toEqual({ ...json, responseJsonSchema: schema });
    expect(config({ response_format: asked }, OLD)).toEqual({ ...json, responseSchema: schema });
    expect(config({ response_format: { type: 'json_schema' } })).toEqual(json);
  });

  test('has an enum in place of each const', () => {
    const given = {
      $defs: { a: { const: 1 } },
      type: 'object',
      properties: { const: { const: 'x' }, list: { items: { anyOf: [{ const: null }, true] } } },
    };
    expect(config({ response_format: { type: 'json_schema', json_schema: { schema: given } } })).toEqual({
      ...json,
      responseJsonSchema: {
        $defs: { a: { enum: [1] } },
        type: 'object',
        properties: { const: { enum: ['x'] }, list: { items: { anyOf: [{ enum: [null] }, true] } } },
      },
    });
  });

  test('is replaced by an instruction before Gemini 3 if functions can be called', () => {
    const request = { response_format: asked, tools: [tool('look')] };
    expect(encode(request).body).toMatchObject({ generationConfig: json, tools: [{}] });
    const { body, dropped } = encode(request, BUDGETED);
    expect(body).toMatchObject({
      tools: [{}],
      systemInstruction: { parts: [{ text: expect.stringContaining('fit this schema') }] },
    });
    expect([body.generationConfig, dropped]).toEqual([undefined, ['response_format']]);
    expect(encode({ ...request, tool_choice: 'none' }, BUDGETED).body).toEqual({
      contents,
      generationConfig: { ...json, responseJsonSchema: schema },
    });
  });
});

describe('openapiSchema()', () => {
  test('keeps the keywords that older models know', () => {
    const given = {
      $schema: 'x',
      type: 'object',
      additionalProperties: false,
      description: 'All',
      required: ['a'],
      properties: {
        a: { type: ['string', 'null'], format: 'email', minLength: 1 },
        b: { const: 'x' },
        c: { type: 'integer', enum: [1, 2], format: 'int32' },
        d: { type: ['string', 'integer'] },
        e: { enum: ['x', null] },
        f: { type: 'array', items: { oneOf: [{ type: 'string' }, { $ref: '#/$defs/g~1h' }] } },
        i: { allOf: [{ $ref: '#/$defs/g~1h' }], description: 'One' },
      },
      $defs: { 'g/h': { type: 'number', exclusiveMinimum: 1, maximum: 3 } },
    };
    expect(openapiSchema(given)).toEqual({
      type: 'object',
      description: 'All',
      required: ['a'],
      properties: {
        a: { type: 'string', minLength: 1, nullable: true },
        b: { type: 'string', enum: ['x'] },
        c: { type: 'integer', format: 'int32' },
        d: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
        e: { type: 'string', enum: ['x'], nullable: true },
        f: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number', maximum: 3 }] } },
        i: { type: 'number', maximum: 3, description: 'One' },
      },
    });
  });

  test('replaces a recursive reference by any object', () => {
    const node = { type: 'object', properties: { name: { type: 'string' }, next: { $ref: '#/$defs/node' } } };
    expect(openapiSchema({ $ref: '#/$defs/node', $defs: { node } })).toEqual({
      type: 'object',
      properties: { name: { type: 'string' }, next: { type: 'object' } },
    });
    const root = { type: 'object', properties: { next: { $ref: '#' } } };
    const { properties } = openapiSchema(root) as { properties: { next: unknown } };
    expect(properties.next).toEqual({ type: 'object', properties: { next: { type: 'object' } } });
    expect(openapiSchema({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } })).toEqual({
      type: 'object',
    });
  });

  test('stays small if references multiply', () => {
    const twice = (inner: object) => ({ type: 'object', properties: { x: inner, y: inner } });
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`s${at}`, twice({ $ref: `#/$defs/s${at + 1}` })]),
    );
    expect(JSON.stringify(openapiSchema({ $ref: '#/$defs/s0', $defs })).length).toBeLessThan(500_000);
    const composed = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => {
        const next = { $ref: `#/$defs/s${at + 1}` };
        return [`s${at}`, { allOf: [next, next] }];
      }),
    );
    expect(openapiSchema({ $ref: '#/$defs/s0', $defs: composed })).toEqual({ type: 'object' });
  });

  test('accepts any value', () => {
    for (const given of [undefined, null, 1, 'x', []]) expect(openapiSchema(given)).toEqual({});
    expect(openapiSchema({ $ref: 'https://a.example/s', properties: 3, items: 4, anyOf: 5 })).toEqual({});
  });
});

describe('token counting', () => {
  const request = {
    model: 'any',
    messages: [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'Hi' },
    ],
  };
  const more = { ...request, temperature: 1, tools: [tool('look', {})], tool_choice: 'auto' as const };
  const systemInstruction = { parts: [{ text: 'S' }] };
  const tools = [{ functionDeclarations: [{ name: 'look', description: 'Looks' }] }];

  test('wraps the request in generateContentRequest for Google AI', () => {
    expect(encodeGeminiCount(more, contextOf(NEW))).toEqual({
      generateContentRequest: {
        model: `models/${NEW}`,
        contents,
        systemInstruction,
        tools,
        toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      },
    });
  });

  test('sends the request directly to Vertex AI', () => {
    expect(encodeVertexCount(more, contextOf(NEW))).toEqual({ contents, systemInstruction, tools });
  });

  test('returns the total', () => {
    expect(decodeGeminiCount({ totalTokens: 12, totalBillableCharacters: 3 })).toBe(12);
    expect(decodeGeminiCount({})).toBeUndefined();
  });
});
