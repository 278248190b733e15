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
