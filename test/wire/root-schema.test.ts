import { expect, test } from 'bun:test';
import { rootSchema } from '../../src/wire/parts/root-schema.ts';

const text = { type: 'string' };
const number = { type: 'number' };

test.each([
  [
    'alternatives, with what all of them require',
    {
      anyOf: [
        { type: 'object', properties: { id: text, a: text }, required: ['id', 'a'] },
        { type: 'object', properties: { id: text, b: number }, required: ['b', 'id'] },
      ],
    },
    { type: 'object', properties: { id: text, a: text, b: number }, required: ['id'] },
  ],
  [
    'alternatives that only require different properties',
    { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { type: 'object', properties: { a: text, b: text } },
  ],
  [
    'a discriminated union in definitions, which allows no other properties',
    {
      oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }],
      $defs: {
        Cat: {
          properties: { kind: { const: 'cat' }, lives: number },
          required: ['kind'],
          additionalProperties: false,
        },
        Dog: {
          properties: { kind: { const: 'dog', type: 'string' }, lives: text },
          required: ['kind', 'lives'],
          additionalProperties: false,
        },
      },
    },
    {
      type: 'object',
      properties: { kind: { enum: ['cat', 'dog'] }, lives: { anyOf: [number, text] } },
      required: ['kind'],
      additionalProperties: false,
      $defs: expect.anything(),
    },
  ],
  [
    'conjunctions, beside properties of the root',
    {
      type: 'object',
      properties: { a: text },
      required: ['a'],
      allOf: [{ properties: { b: number }, required: ['b'] }, { anyOf: [{ properties: { c: text } }] }],
    },
    { type: 'object', properties: { a: text, b: number, c: text }, required: ['a', 'b'] },
  ],
])('rootSchema() moves into the root: %s', (_, schema, expected) => {
  expect(rootSchema(schema)).toEqual(expected);
});

test('rootSchema() leaves any other schema as it is', () => {
  const schema = { type: 'object', properties: { a: { anyOf: [text, number] } }, required: ['a'] };
  expect(rootSchema(schema)).toBe(schema);
  expect(rootSchema(undefined)).toEqual({ type: 'object', properties: {} });
});

test('rootSchema() reads a schema that refers to itself in a bounded number of steps', () => {
  const node = {
    properties: { a: text },
    anyOf: Array.from({ length: 60 }, () => ({ $ref: '#/$defs/Node' })),
  };
  let reads = 0;
  const counted = new Proxy(node, {
    ownKeys: (target) => (reads++, Reflect.ownKeys(target)),
  });
  const { properties } = rootSchema({ $ref: '#/$defs/Node', anyOf: node.anyOf, $defs: { Node: counted } });
  expect(properties).toEqual({ a: text });
  expect(reads).toBeLessThan(1_000);
});
