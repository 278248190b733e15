/** The schemas of tool parameters as sent to providers that require `type: "object"`, or `properties` beside it. */
import { expect, test } from 'bun:test';
import type { JsonObject } from '../../src/wire/json.ts';
import { anthropicProtocol } from '../../src/wire/anthropic/protocol.ts';
import { converseProtocol } from '../../src/wire/bedrock/protocol.ts';
import { cohereProtocol } from '../../src/wire/cohere/protocol.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';
import { responsesProtocol } from '../../src/wire/responses/protocol.ts';

const PROTOCOLS = { anthropicProtocol, converseProtocol, cohereProtocol, responsesProtocol };
const NODE = {
  $ref: '#/$defs/Node',
  $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } },
};

/** Every schema in a request, wherever a provider expects it. */
function schemas(body: unknown): JsonObject[] {
  const found: JsonObject[] = [];
  JSON.stringify(body, (key, value: JsonObject) => {
    if (key === 'input_schema' || key === 'parameters') found.push(value);
    if (key === 'inputSchema') found.push(value.json as JsonObject);
    return value;
  });
  return found;
}

const CASES: [string, JsonObject | undefined, JsonObject][] = [
  ['refers to a recursive definition', NODE, { ...NODE, type: 'object', properties: {} }],
  ['has only properties', { properties: { a: {} } }, { properties: { a: {} }, type: 'object' }],
  ['has a list of types', { type: ['object', 'null'] }, { type: 'object', properties: {} }],
  ['has no type', { type: null, properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
  ['is empty', {}, { type: 'object', properties: {} }],
  ['is missing', undefined, { type: 'object', properties: {} }],
  ['has type object', { type: 'object', required: [] }, { type: 'object', required: [], properties: {} }],
];
for (const [name, protocol] of Object.entries(PROTOCOLS))
  test.each(CASES)(`${name}: a schema that %s`, (_, parameters, sent) => {
    const tools = [{ type: 'function', function: { name: 'f', ...(parameters && { parameters }) } }] as never;
    const { body } = protocol.encode(
      { model: 'm', messages: [{ role: 'user', content: 'hi' }], tools },
      { model: 'm', quirks: {}, created: 1, newId: () => 'id', memory: NO_MEMORY },
    );
    expect(schemas(body)).toEqual([sent]);
  });

const ALTERNATIVES = { anyOf: [{ properties: { a: {} } }, { properties: { b: {} } }] };
test.each([
  ['anthropicProtocol', false],
  ['converseProtocol', false],
  ['responsesProtocol', false],
  // Cohere's reference has no such restriction.
  ['cohereProtocol', true],
] as const)('%s: alternatives at the root of a schema stay there: %p', (name, stay) => {
  const fn = { name: 'f', description: null, parameters: ALTERNATIVES };
  const { body } = PROTOCOLS[name].encode(
    {
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: fn }] as never,
    },
    { model: 'm', quirks: {}, created: 1, newId: () => 'id', memory: NO_MEMORY },
  );
  const [schema] = schemas(body);
  expect('anyOf' in schema!).toBe(stay);
  if (!stay) expect(schema).toEqual({ type: 'object', properties: { a: {}, b: {} } });
});

test('a description that is null is not sent to Anthropic, which rejects it', () => {
  const { body } = anthropicProtocol.encode(
    {
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'f', description: null } }] as never,
    },
    { model: 'claude-sonnet-4-6', quirks: {}, created: 1, newId: () => 'id', memory: NO_MEMORY },
  );
  expect(body.tools).toEqual([{ name: 'f', input_schema: { type: 'object', properties: {} } }]);
});
