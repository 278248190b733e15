import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { otherModels } from '../../src/wire/other-models.ts';

test.each<[object, readonly string[]]>([
  [{ model: 'a', messages: [] }, []],
  [{ models: ['b', 'c'] }, ['b', 'c']],
  [{ fallbacks: 'b' }, ['b']],
  [{ fallbacks: ['b', { model: 'c', max_tokens: 5 }] }, ['b', 'c']],
  [{ fallbacks: [{ a: ['b', 'c'] }], context_window_fallbacks: [{ a: ['d'] }] }, ['b', 'c', 'd']],
  [{ content_policy_fallbacks: { a: 'b' }, fallback_models: ['c'] }, ['c', 'b']],
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
    ['c', 'b'],
  ],
  [
    { tools: [{ type: 'function', name: 'f', parameters: { properties: { model: { type: 'string' } } } }] },
    [],
  ],
  [{ compound_custom: { models: { answering_model: 'b', reasoning_model: 'c' } } }, ['b', 'c']],
  [{ providerOptions: { gateway: { models: ['b'] } } }, ['b']],
  [{ models: 5, fallbacks: null, tools: {}, plugins: [null, 'x'], providerOptions: [] }, []],
  [{ models: [[['b']], { model: 5 }, { a: { b: 'c' } }] }, []],
])('otherModels(%j)', (body, names) => {
  expect([...otherModels(body as JsonObject)]).toEqual([...names]);
});
