import { expect, test } from 'bun:test';
import { countedModel, decodeConverseCount, encodeConverseCount } from '../../src/wire/bedrock/count.ts';
import { NO_MEMORY } from '../../src/wire/protocol.ts';

test('encodeConverseCount() sends only what counts towards the prompt', () => {
  const request = {
    model: 'any',
    messages: [
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'Hi' },
    ],
    tools: [{ type: 'function', function: { name: 'f' } }],
    reasoning_effort: 'low',
    max_tokens: 5_000,
  };
  const context = { model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', memory: NO_MEMORY, quirks: {} };
  expect(encodeConverseCount(request, context)).toEqual({
    input: {
      converse: {
        messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
        system: [{ text: 'Be brief' }],
        toolConfig: {
          tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }],
        },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1_024 } },
      },
    },
  });
});

test('decodeConverseCount() returns the token count and refuses a body without one', () => {
  expect(decodeConverseCount({ inputTokens: 12 })).toBe(12);
  expect(() => decodeConverseCount({ message: 'no' })).toThrow(
    expect.objectContaining({ fault: 'malformed' }),
  );
});

test.each([
  ['us.anthropic.claude-sonnet-4-6', 'anthropic.claude-sonnet-4-6'],
  ['us-gov.anthropic.claude-sonnet-4-6', 'anthropic.claude-sonnet-4-6'],
  ['global.amazon.nova-2-lite-v1:0', 'amazon.nova-2-lite-v1:0'],
  ['anthropic.claude-sonnet-4-6', 'anthropic.claude-sonnet-4-6'],
  ['us.model', 'us.model'],
])('countedModel() turns %s into %s', (name, model) => expect(countedModel(name)).toBe(model));
