import { Ajv } from 'ajv';
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../src/wire/json.ts';
import { fittedSchema, schemaProblems } from '../../../src/export/render/json-schema.ts';

const ajv = new Ajv({ strict: false, validateFormats: false });

/** All keywords but `enum`, whose values Ajv requires to differ: draft 7 only recommends that. */
const WORDS = [
  'type title description $ref $comment format pattern minimum exclusiveMaximum multipleOf minLength maxItems',
  'minProperties uniqueItems readOnly examples required additionalProperties additionalItems items contains',
  'propertyNames not if anyOf oneOf allOf properties patternProperties definitions default const x-own',
]
  .join(' ')
  .split(' ');

/** Anything that a program may have written there. */
const { schema } = fc.letrec<{ schema: JsonObject; value: unknown }>((tie) => ({
  schema: fc.dictionary(fc.constantFrom(...WORDS), tie('value'), { maxKeys: 3 }) as fc.Arbitrary<JsonObject>,
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('string', 'object', 'STRING', 'str', '', 'a'),
    fc.constantFrom(0, 1, 2, -1, 1.5),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.constantFrom<unknown>('a', 'b', 'string', 'null', 1, null), { maxLength: 3 }),
    fc.array(tie('schema'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'type', '__proto__'), tie('value'), { maxKeys: 2 }),
    tie('schema'),
  ),
}));

test('schemaProblems() reports a schema as invalid if Ajv does', () => {
  let invalid = 0;
  fc.assert(
    fc.property(schema, (given) => {
      const valid = ajv.validateSchema(given) === true;
      if (!valid) invalid += 1;
      const problems = schemaProblems(given, 'parameters', {});
      expect([valid, given, problems]).toEqual([problems.length === 0, given, problems]);
    }),
    { numRuns: 2000 },
  );
  expect(invalid).toBeGreaterThan(500);
});

test.each([{}, { contents: true }, { objects: true }] as const)(
  'fittedSchema() makes a valid schema of any object, with %j',
  (rules) => {
    fc.assert(
      fc.property(schema, (given) => {
        const fitted = fittedSchema(given, rules);
        expect(schemaProblems(fitted, '', rules)).toEqual([]);
        expect([fitted, ajv.validateSchema(fitted)]).toEqual([fitted, true]);
        expect(fittedSchema(fitted, rules)).toBe(fitted);
      }),
      { numRuns: 1000 },
    );
  },
);

test.each<[string, JsonObject, JsonObject]>([
  [
    'requires a property that says so itself',
    { type: 'object', properties: { a: { type: 'string', required: true }, b: { required: false } } },
    { type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a'] },
  ],
  [
    'adds such a property to the list of required ones',
    { required: ['b'], properties: { a: { required: true } } },
    { required: ['b', 'a'], properties: { a: {} } },
  ],
  ['writes types in lower case', { type: 'OBJECT', title: 5 }, { type: 'object' }],
  [
    'fits referenced schemas',
    { $defs: { a: { type: 'STRING' } }, prefixItems: [{ type: 'str' }] },
    { $defs: { a: { type: 'string' } }, prefixItems: [{}] },
  ],
  ['keeps true and false', { properties: { a: true, b: 5 } }, { properties: { a: true, b: {} } }],
])('fittedSchema() %s', (_, given, fitted) => {
  expect(fittedSchema(given, {})).toEqual(fitted);
});

test('fittedSchema() writes objects where chat templates require them', () => {
  const given = {
    properties: { a: true, b: false, c: { items: [{ type: 'string' }, true] } },
    additionalProperties: false,
    not: true,
  };
  expect(fittedSchema(given, { objects: true })).toEqual({
    properties: { a: {}, b: { not: {} }, c: { prefixItems: [{ type: 'string' }, {}] } },
    additionalProperties: false,
    not: {},
  });
  expect(schemaProblems(given, 'p', { objects: true })).toEqual([
    expect.stringContaining('p.properties.a: expected an object, not true'),
    expect.stringContaining('p.properties.b: expected an object, not false'),
    expect.stringContaining('p.properties.c.items: expected an object, not a list'),
    expect.stringContaining('p.properties.c.items[1]: expected an object, not true'),
    expect.stringContaining('p.not: expected an object, not true'),
  ]);
});
