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
  [{ plugins: [{ id: 'x', model: 'b' }] }, ['b']],
  [{ providerOptions: { gateway: { models: ['b'] } } }, ['b']],
  [{ models: 5, fallbacks: null, tools: {}, plugins: [null, 'x'], providerOptions: [] }, []],
  [{ models: [[['b']], { model: 5 }, { a: { b: 'c' } }] }, []],
])('otherModels(%j)', (body, names) => {
  expect(otherModels(body as JsonObject)).toEqual(names);
});
