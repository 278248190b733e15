import { expect, test } from 'bun:test';
import { withTextEnums } from '../../../src/export/render/text-enums.ts';

test('withTextEnums() says by constants what values a property may have besides texts', () => {
  const b = { type: 'string', enum: ['x', 'y'] };
  const nested = { properties: { d: { enum: [1] } } };
  expect(
    withTextEnums({
      type: 'object',
      properties: {
        a: { type: 'integer', enum: [1, 2] },
        b,
        c: { enum: ['x', null], anyOf: [{ minimum: 0 }], allOf: [{ title: 'T' }] },
        nested,
      },
    }),
  ).toEqual({
    type: 'object',
    properties: {
      a: { type: 'integer', anyOf: [{ const: 1 }, { const: 2 }] },
      b,
      c: {
        anyOf: [{ minimum: 0 }],
        allOf: [{ title: 'T' }, { anyOf: [{ const: 'x' }, { const: null }] }],
      },
      nested,
    },
  });
});

test('withTextEnums() changes nothing else', () => {
  for (const parameters of [{}, { properties: { a: { enum: ['x'] }, b: {}, c: { enum: [] } } }])
    expect(withTextEnums(parameters)).toBe(parameters);
});
