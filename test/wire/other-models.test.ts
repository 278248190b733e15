import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { formFields } from '../../src/wire/multipart.ts';
import { findOtherModels } from '../../src/wire/other-models.ts';
import { usedMs } from '../helpers/cpu.ts';

function otherModels(body: JsonObject, model: string): string[] {
  const names: string[] = [];
  findOtherModels(body, model, (name) => void names.push(name));
  return names;
}

test.each<[object, readonly string[]]>([
  [{ model: 'a', messages: [] }, []],
  [{ models: ['b', 'c'] }, ['b', 'c']],
  [{ fallbacks: 'b' }, ['b']],
  [{ fallbacks: ['b', { model: 'c', max_tokens: 5 }] }, ['b', 'c']],
  [{ fallbacks: [{ a: ['b', 'c'] }], context_window_fallbacks: [{ a: ['d'] }] }, ['b', 'c', 'd']],
  [{ content_policy_fallbacks: { a: 'b' }, fallback_models: ['c'] }, ['b', 'c']],
  [
    {
      tools: [
        { type: 'image_generation', model: 'b' },
        { type: 'function', name: 'model' },
      ],
    },
    ['b'],
  ],
  [{ plugins: [{ id: 'fusion', model: 'b', analysis_models: ['c', 'd'] }] }, ['b', 'c', 'd']],
  [
    { tools: [{ type: 'openrouter:fusion', parameters: { analysis_models: ['b'], model: 'c' } }] },
    ['b', 'c'],
  ],
  [
    { tools: [{ type: 'function', name: 'f', parameters: { properties: { model: { type: 'string' } } } }] },
    [],
  ],
  [
    {
      tools: [
        {
          type: 'function',
          parameters: {
            properties: { model: {} },
            dependentRequired: { model: ['q'] },
            dependencies: { model: ['q'] },
            default: { model: 'q' },
            examples: [{ model: 'q' }],
          },
        },
        { type: 'function', parameters: { $ref: '#/$defs/Model', $defs: { Model: { type: 'object' } } } },
      ],
    },
    [],
  ],
  [{ compound_custom: { models: { answering_model: 'b', reasoning_model: 'c' } } }, ['b', 'c']],
  [{ providerOptions: { gateway: { models: ['b'] } } }, ['b']],
  [{ models: 5, fallbacks: null, tools: {}, plugins: [null, 'x'], providerOptions: [] }, []],
  [{ models: [[['b']], { model: 5 }, { a: { b: 'c' } }] }, ['b', 'c']],
  [{ preset: 'p', messages: [{ role: 'user', content: 'x', model: 'q' }] }, ['@preset/p']],
  [{ preset: '@preset/p', route: 'fallback', models: ['b'] }, ['@preset/p', 'b']],
  [{ route: 'fallback' }, ['openrouter/auto']],
  [{ models: ['b, c', 'd@preset/p'] }, ['b', 'c', 'd', '@preset/p']],
  [
    { context_window_fallback_dict: { a: 'b' }, router_settings_override: { fallbacks: [{ a: ['c'] }] } },
    ['b', 'c'],
  ],
  [
    {
      user_config: {
        model_list: [{ model_name: 'b', litellm_params: { model: 'openai/c', api_base: 'x' } }],
      },
    },
    ['b', 'openai/c'],
  ],
  [
    {
      data_sources: [
        {
          type: 'azure_search',
          parameters: {
            index_name: 'i',
            embedding_dependency: { type: 'deployment_name', deployment_name: 'b' },
          },
        },
      ],
    },
    ['b'],
  ],
  [{ generationConfig: { routingConfig: { manualMode: { modelName: 'b' } } } }, ['b']],
  [{ adapter_id: 'b', lora_path: 'c', deploymentId: 'd' }, ['b', 'c', 'd']],
  [{ input_audio_transcription: { model: 'b' } }, ['b']],
  [{ metadata: { model: 'q' }, tools: [{ type: 'mcp', headers: { 'x-model': 'q' } }] }, []],
  [
    {
      tools: [
        { name: 'f', input_schema: { type: 'object', properties: { model: { enum: ['q'] } } } },
        { functionDeclarations: [{ name: 'f', parameters: { properties: { models: {} } } }] },
      ],
      response_format: { type: 'json_schema', json_schema: { schema: { properties: { model: {} } } } },
      model_kwargs: { a: 'q' },
      modalities: ['text'],
    },
    [],
  ],
])('findOtherModels(%j)', (body, names) => {
  expect(otherModels(body as JsonObject, 'a')).toEqual([...names]);
});

test.each([
  ['a', []],
  ['@preset/a', []],
  ['a@preset/p', ['a', '@preset/p']],
  ['a,b , c', ['a', 'b', 'c']],
  ['a,b@preset/p', ['a', 'b', '@preset/p']],
  ['a:nitro', []],
])('findOtherModels() finds the models within the name %s', (model, names) => {
  expect(otherModels({}, model)).toEqual(names);
});

test('findOtherModels() refuses what it cannot search', () => {
  const deep = (depth: number): object => (depth === 0 ? { model: 'b' } : { x: deep(depth - 1) });
  expect(otherModels({ x: deep(10) }, 'a')).toEqual(['b']);
  expect(() => otherModels({ x: deep(20) }, 'a')).toThrow('too large');
  expect(() => otherModels({ x: Array(20_000).fill('b') }, 'a')).toThrow('too large');
  expect(otherModels({ messages: Array(20_000).fill('b') }, 'a')).toEqual([]);
});

test('findOtherModels() refuses long texts in place of names, without splitting them', () => {
  const long = 'b,'.repeat(8_000_000);
  const began = usedMs();
  expect(() => otherModels({ models: long }, 'a')).toThrow('too large');
  expect(() => otherModels({ models: [long] }, 'a')).toThrow('too large');
  expect(() => otherModels({ preset: long }, 'a')).toThrow('too large');
  const refusingMs = usedMs() - began;
  const alsoBegan = usedMs();
  expect(long.split(',').length).toBeGreaterThan(1);
  expect(refusingMs).toBeLessThan((usedMs() - alsoBegan) / 2);
});

test.each([' ', '\u3000'])(
  'findOtherModels() overlooks no name far behind in a field of a form (%j)',
  (blank) => {
    const text = `b,${blank.repeat(20_000)},c`;
    const form = `--x\r\nContent-Disposition: form-data; name="models"\r\n\r\n${text}\r\n--x--\r\n`;
    const fields = formFields(new TextEncoder().encode(form), 'multipart/form-data; boundary=x');
    expect(() => otherModels(fields, 'a')).toThrow('too large');
  },
);
