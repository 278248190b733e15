import { describe, expect, test } from 'bun:test';
import { openapiSchema } from '../../src/wire/gemini/schema.ts';

const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('openapiSchema()', () => {
  test('merges allOf, even if two parts refer to the same third', () => {
    const base = { properties: { id: { type: 'string' } }, required: ['id'], description: 'base' };
    const $defs = {
      Base: base,
      A: { allOf: [{ $ref: '#/$defs/Base' }], properties: { a: { type: 'string' } }, required: ['a'] },
      B: { allOf: [{ $ref: '#/$defs/Base' }], properties: { b: { type: 'number' } } },
    };
    const allOf = [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }];
    expect(openapiSchema({ $defs, type: 'object', description: 'own', allOf })).toEqual({
      type: 'object',
      description: 'own',
      properties: { id: { type: 'string' }, a: { type: 'string' }, b: { type: 'number' } },
      required: ['a', 'id'],
    });
  });

  test('keeps large schemas complete if nothing is referenced twice', () => {
    const properties = Object.fromEntries(many(6_000, (at) => [`p${at}`, { type: 'string' }]));
    expect(openapiSchema({ type: 'object', properties })).toEqual({ type: 'object', properties });
    const words = many(6_000, (at) => `w${at}`);
    expect(openapiSchema({ type: 'string', enum: words })).toEqual({ type: 'string', enum: words });
    const parts = many(4_000, (at) => ({
      properties: { [`p${at}`]: { type: 'string' } },
      required: [`p${at}`],
    }));
    const { required } = openapiSchema({ type: 'object', allOf: parts });
    expect(required).toHaveLength(4_000);
  });

  test.each([
    ['enum values', { type: 'string', enum: many(20_000, (at) => `v${at}`) }],
    ['descriptions', { type: 'string', description: 'x'.repeat(100_000) }],
    ['an example', { type: 'object', default: { text: 'x'.repeat(100_000) } }],
    ['fields', { type: 'object', properties: Object.fromEntries(many(5_000, (at) => [`p${at}`, {}])) }],
    ['unknown keywords', Object.fromEntries(many(20_000, (at) => [`x-${at}`, at]))],
  ])('limits the growth by references to %s', (_, Large) => {
    const properties = Object.fromEntries(many(2_000, (at) => [`p${at}`, { $ref: '#/$defs/Large' }]));
    const made = openapiSchema({ $defs: { Large }, type: 'object', properties });
    expect(JSON.stringify(made).length).toBeLessThan(1_000_000);
  });

  test.each([
    ['itself', { $defs: { N: { $ref: '#/$defs/N' } }, $ref: '#/$defs/N' }],
    ['itself within allOf', { $defs: { N: { allOf: [{ $ref: '#/$defs/N' }] } }, $ref: '#/$defs/N' }],
  ])('turns a schema that only contains %s into any object', (_, schema) => {
    expect(openapiSchema(schema)).toEqual({ type: 'object' });
  });

  test('cuts off extremely deep allOf', () => {
    let nested: object = { type: 'string' };
    for (let at = 0; at < 3_000; at += 1) nested = { allOf: [nested] };
    expect(openapiSchema(nested)).toEqual({ type: 'object' });
  });
});
