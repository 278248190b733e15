/** Clients that write every field of their schema: what asks for nothing is left out, and keeps no target away. */
import { expect, test } from 'bun:test';
import { CHAT } from '../helpers/proxy.ts';
import { requestSentTo } from '../helpers/sent-requests.ts';

const NAMES =
  'tools tool_choice stop logit_bias metadata n seed max_tokens max_completion_tokens temperature top_p response_format ' +
  'user stream_options parallel_tool_calls logprobs top_logprobs reasoning_effort prediction modalities audio store ' +
  'web_search_options service_tier verbosity frequency_penalty presence_penalty functions function_call prompt_cache_key';
const NULLS = Object.fromEntries(NAMES.split(' ').map((name) => [name, null]));
const EMPTY = { tools: [], functions: [], stop: [], logit_bias: {}, metadata: {}, modalities: ['text'] };
const DEFAULTS = {
  n: 1,
  logprobs: false,
  store: false,
  parallel_tool_calls: true,
  presence_penalty: 0,
  frequency_penalty: 0,
};
const FUNCTION = { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } };

const TARGETS = [
  ['anthropic', 'claude-sonnet-4-6'],
  ['gemini', 'gemini-3.5-flash'],
  ['bedrock', 'us.amazon.nova-pro-v1:0'],
  ['cohere', 'command-a-03-2025'],
  ['perplexity', 'sonar-pro'],
  ['mistral', 'mistral-large-latest'],
  ['deepseek', 'deepseek-chat'],
  ['xai', 'grok-4'],
  ['openai', 'gpt-5.6'],
] as const;

test.each(TARGETS)('nothing that asks for nothing is named as left out for %s', async (type, model) => {
  for (const fields of [NULLS, EMPTY, DEFAULTS]) {
    const { dropped } = await requestSentTo(type, { ...CHAT, model, ...fields });
    expect({ fields, dropped }).toEqual({ fields, dropped: null });
  }
});

test.each([
  [
    '/v1/messages',
    'messages',
    {
      tools: null,
      tool_choice: null,
      metadata: {},
      mcp_servers: [],
      stop_sequences: null,
      system: [],
      thinking: null,
    },
  ],
  [
    '/v1/responses',
    'input',
    {
      tools: [],
      tool_choice: null,
      include: [],
      text: {},
      reasoning: null,
      metadata: {},
      prompt: null,
      truncation: null,
    },
  ],
] as const)('the same holds for clients of %s', async (path, said, fields) => {
  for (const [type, model] of TARGETS.slice(0, 4)) {
    const body = { model, max_tokens: 9, [said]: [{ role: 'user', content: 'Hi' }], ...fields };
    const { max_tokens: _, ...response } = body;
    const { dropped } = await requestSentTo(type, said === 'input' ? response : body, { path });
    if (said === 'input' || type !== 'anthropic') expect({ type, dropped }).toEqual({ type, dropped: null });
  }
});

test('a field that a vendor rejects is removed although it is null', async () => {
  const { body } = await requestSentTo('mistral', { ...CHAT, ...NULLS });
  for (const name of ['logit_bias', 'user', 'store', 'verbosity', 'logprobs'])
    expect(body).not.toHaveProperty(name);
});

test('what asks for something is named', async () => {
  const given = { ...CHAT, logit_bias: { 7: 1 }, n: 2, presence_penalty: 0.1, web_search_options: {} };
  const { dropped } = await requestSentTo('bedrock', { ...given, model: 'us.amazon.nova-pro-v1:0' });
  expect(dropped?.split(', ').toSorted()).toEqual(['logit_bias', 'presence_penalty', 'web_search_options']);
});

test('functions are sent although tools are null', async () => {
  const fields = { functions: [FUNCTION], tools: null };
  const { body } = await requestSentTo('anthropic', { ...CHAT, model: 'claude-sonnet-4-6', ...fields });
  expect(body.tools).toMatchObject([{ name: 'look' }]);
});
