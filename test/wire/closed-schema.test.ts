import { describe, expect, test } from 'bun:test';
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import type { JsonObject } from '../../src/wire/json.ts';
import { isObject } from '../../src/wire/json.ts';
import { closedSchema } from '../../src/wire/parts/closed-schema.ts';

const text = { type: 'string' };
const open = { type: 'object', properties: { a: text } };
const closed = { ...open, additionalProperties: false };

describe('closedSchema()', () => {
  test('changes nothing within the subset', () => {
    const schema = {
      type: 'object',
      title: 'T',
      properties: {
        a: { type: ['string', 'null'], description: 'd' },
        b: { enum: ['x', 1, null] },
        c: { anyOf: [{ $ref: '#/$defs/C' }, { type: 'null' }], default: null },
        d: { type: 'array', items: { type: 'string', format: 'date' }, minItems: 1 },
        e: { const: 'x' },
        f: { type: 'object', properties: {}, additionalProperties: false },
      },
      required: ['a', 'b'],
      additionalProperties: false,
      $defs: { C: closed, D: { type: 'array', items: { $ref: '#/$defs/C' } } },
    };
    expect(closedSchema(schema)).toEqual(schema);
  });

  test.each<[what: string, given: JsonObject, wanted: JsonObject]>([
    ['an object that allows further properties', open, closed],
    ['one that says so', { ...open, additionalProperties: true }, closed],
    ['an object without its type', { properties: { a: text } }, closed],
    ['objects within others', { type: 'array', items: open }, { type: 'array', items: closed }],
    ['definitions', { $ref: '#/$defs/A', $defs: { A: open } }, { $ref: '#/$defs/A', $defs: { A: closed } }],
    ['the type beside values', { type: 'string', enum: ['a'] }, { enum: ['a'] }],
    ['a list with one type', { type: ['string'] }, text],
    ['alternatives', { oneOf: [text, open] }, { anyOf: [text, closed] }],
    ['a composition of one that repeats a keyword', { type: 'object', allOf: [open] }, closed],
    ['a composition of one', { allOf: [open], description: 'd' }, { ...closed, description: 'd' }],
    [
      'an object that may be null',
      { ...open, type: ['object', 'null'], description: 'd' },
      { description: 'd', anyOf: [closed, { type: 'null' }] },
    ],
    ['the dialect', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...open }, closed],
    [
      'limits, which the description tells',
      { type: 'integer', minimum: 1, maximum: 5, description: 'How many.' },
      { type: 'integer', description: 'How many.\n\n{minimum: 1, maximum: 5}' },
    ],
    [
      'formats and patterns',
      { type: 'string', format: 'phone', pattern: '^a' },
      { type: 'string', description: '{format: "phone", pattern: "^a"}' },
    ],
    ['what draft 3 required', { ...text, required: true }, { ...text, description: '{required: true}' }],
    [
      'long lists',
      { type: 'array', items: text, minItems: 3 },
      { type: 'array', items: text, description: '{minItems: 3}' },
    ],
  ])('adapts %s', (_, given, wanted) => {
    const before = structuredClone(given);
    expect(closedSchema(given)).toEqual(wanted);
    expect(given).toEqual(before);
  });

  test.each<[what: string, schema: unknown]>([
    ['any object', { type: 'object' }],
    ['any object that says so', { type: 'object', properties: {}, additionalProperties: true }],
    ['arbitrary keys', { type: 'object', additionalProperties: text }],
    ['keys by pattern', { type: 'object', properties: {}, patternProperties: { '^a': text } }],
    ['a type that JSON Schema does not have', { type: 'OBJECT', properties: {} }],
    ['any value', {}],
    ['any value within', { type: 'object', properties: { a: {} } }],
    ['any list', { type: 'array' }],
    ['a tuple', { type: 'array', prefixItems: [text], items: text }],
    ['an object as a value', { enum: [{ a: 1 }] }],
    ['a schema that contains itself', { type: 'object', properties: { a: { $ref: '#' } } }],
    [
      'definitions that contain each other',
      {
        $ref: '#/$defs/A',
        $defs: {
          A: { type: 'array', items: { $ref: '#/$defs/B' } },
          B: { type: 'array', items: { $ref: '#/$defs/A' } },
        },
      },
    ],
    ['a reference to elsewhere', { $ref: 'https://x.test/s.json' }],
    ['a composition with a reference', { allOf: [{ $ref: '#/$defs/A' }, closed], $defs: { A: closed } }],
    ['objects that are composed', { allOf: [open, { type: 'object', properties: { b: text } }] }],
    ['a composition of one beside the same keyword', { ...open, allOf: [{ properties: { b: text } }] }],
    ['alternatives beside properties', { ...open, anyOf: [{ type: 'object', properties: { b: text } }] }],
    ['alternatives beside others', { anyOf: [text, { type: 'null' }], oneOf: [text] }],
    ['a reference beside properties', { ...open, $ref: '#/$defs/A', $defs: { A: open } }],
    ['a required property without a schema', { ...open, required: ['b'] }],
    ['a condition', { ...closed, if: {}, else: {} }],
    ['true', true],
    ['nothing', undefined],
  ])('returns nothing for %s', (_, schema) => {
    expect(closedSchema(schema)).toBeUndefined();
  });

  test('takes time in proportion to the number of definitions', () => {
    const chain = (length: number) => {
      const names = Array.from({ length }, (_, index) => [`D${index}`, { $ref: `#/$defs/D${index + 1}` }]);
      return {
        $ref: '#/$defs/D0',
        $defs: Object.fromEntries([...names, [`D${length}`, text]]) as JsonObject,
      };
    };
    const timeOf = (schema: JsonObject) => {
      const began = performance.now();
      expect(closedSchema(schema)).toEqual(schema);
      return performance.now() - began;
    };
    timeOf(chain(500));
    const few = Math.min(...[1, 2, 3].map(() => timeOf(chain(500))));
    // Sixteen times as many, instead of 256 times as long.
    expect(timeOf(chain(8_000)) / few).toBeLessThan(100);
  });

  test('does not follow deep schemas endlessly', () => {
    let schema: JsonObject = text;
    for (let depth = 0; depth < 2_000; depth += 1) schema = { type: 'array', items: schema };
    expect(closedSchema(schema)).toBeUndefined();
  });
});

const leaf = fc.constantFrom<JsonObject>(
  text,
  { type: 'integer' },
  { type: ['number', 'null'] },
  { enum: ['a', 1] },
  { const: null },
  { $ref: '#/$defs/A' },
);
const { schema: schemas } = fc.letrec<{ schema: JsonObject }>((tie) => {
  const inner = tie('schema');
  const object = fc
    .record({
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), inner, { minKeys: 1, maxKeys: 2 }),
      type: fc.constantFrom<unknown>('object', ['object', 'null'], undefined),
      additionalProperties: fc.constantFrom<unknown>(true, false, undefined),
    })
    .map(({ properties, ...more }) => ({
      properties,
      required: Object.keys(properties).slice(0, 1),
      ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
    }));
  const list = inner.map((items) => ({ type: 'array', items }));
  const some = fc.tuple(fc.constantFrom('anyOf', 'oneOf'), fc.array(inner, { minLength: 1, maxLength: 2 }));
  const choice = some.map(([word, of]) => ({ [word]: of }));
  return { schema: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, object, list, choice) as never };
});
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<unknown>('a', 'x', 1, 1.5, null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 2 }),
  ),
})).value;

/** `oneOf` demands that exactly one fits, which a choice cannot. */
function asChoices(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asChoices);
  if (!isObject(schema)) return schema;
  const renamed = Object.entries(schema).map(([name, value]) => [
    name === 'oneOf' ? 'anyOf' : name,
    asChoices(value),
  ]);
  return Object.fromEntries(renamed) as unknown;
}

function everyObject(schema: unknown, holds: (schema: JsonObject) => boolean): boolean {
  if (Array.isArray(schema)) return schema.every((each) => everyObject(each, holds));
  if (!isObject(schema)) return true;
  return holds(schema) && Object.values(schema).every((each) => everyObject(each, holds));
}

test('what fits a closed schema fits the given one, and every object of it is closed', () => {
  const ajv = new Ajv({ strict: false, addUsedSchema: false });
  let fitting = 0;
  fc.assert(
    fc.property(schemas, fc.array(values, { maxLength: 8 }), (schema, some) => {
      const given = { ...schema, $defs: { A: open } };
      const made = closedSchema(given);
      expect(made).toBeDefined();
      expect(everyObject(made, (each) => each.type !== 'object' || each.additionalProperties === false)).toBe(
        true,
      );
      const [isClosed, isGiven] = [ajv.compile(made!), ajv.compile(asChoices(given) as JsonObject)];
      for (const value of some) {
        if (!isClosed(value)) continue;
        fitting += 1;
        expect([value, isGiven(value)]).toEqual([value, true]);
      }
    }),
    { numRuns: 120 },
  );
  expect(fitting).toBeGreaterThan(20);
});
