/** Requests that must reach providers of other protocols in a form that these accept. */
import type { Case } from './case.ts';
import type { Json } from '../read/json.ts';
import { expect } from 'bun:test';
import { objectOf, objectsOf } from '../read/json.ts';

const HI: Json = { messages: [{ role: 'user', content: 'Hi' }] };
const PIXEL = 'iVBORw0KGgo=';

const message: Json = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};

const converse: Json = {
  output: { message: { role: 'assistant', content: [{ text: 'ok' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
};

const generated: Json = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 9, totalTokenCount: 14 },
};

const toAnthropic = { client: 'chat', vendor: 'anthropic', api: 'messages', answer: message } as const;

/** The request is answered, and its translation is valid according to the provider's reference. */
const isTaken: Case['right'] = ({ status, wrong }) =>
  expect({ status, wrong }).toEqual({ status: 200, wrong: [] });

export const REQUESTS: readonly Case[] = [
  {
    name: 'a Bedrock request begins with the user, whoever began the conversation',
    client: 'chat',
    vendor: 'bedrock',
    api: 'converse',
    request: {
      messages: [
        { role: 'system', content: 's' },
        { role: 'assistant', content: 'Hello, how can I help?' },
        { role: 'user', content: 'go' },
      ],
    },
    answer: converse,
    right: isTaken,
  },
  {
    ...toAnthropic,
    name: 'an empty prompt is sent to Anthropic in a form that it accepts',
    request: { messages: [{ role: 'user', content: '' }] },
    right: isTaken,
  },
  {
    ...toAnthropic,
    name: 'texts of only white space are not sent to Anthropic',
    request: {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: '\n' },
        { role: 'user', content: 'go' },
      ],
    },
    right(came) {
      isTaken(came);
      const words = objectsOf(came.asked.messages).flatMap(({ content }) => objectsOf(content));
      expect(words.map(({ text }) => text)).toEqual(['Hi', 'go']);
    },
  },
  {
    ...toAnthropic,
    name: 'a legacy function call in the history is understood',
    request: {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
        { role: 'function', name: 'f', content: '2' },
      ],
    },
    right(came) {
      isTaken(came);
      const [, call, result] = objectsOf(came.asked.messages);
      const [use] = objectsOf(call?.content);
      expect([use?.name, use?.input]).toEqual(['f', { a: 1 }]);
      const [told] = objectsOf(result?.content);
      expect([told?.type, told?.tool_use_id]).toEqual(['tool_result', use?.id]);
    },
  },
  {
    ...toAnthropic,
    name: 'legacy functions become tools',
    request: {
      ...HI,
      functions: [{ name: 'f', parameters: { type: 'object', properties: {} } }],
      function_call: 'auto',
    },
    right: ({ asked }) => expect(objectsOf(asked.tools).map(({ name }) => name)).toEqual(['f']),
  },
  {
    ...toAnthropic,
    name: 'a reasoning budget in OpenRouter’s format becomes a thinking budget',
    model: 'claude-sonnet-4-5',
    request: { ...HI, reasoning: { max_tokens: 2_000 } },
    right: ({ asked }) => expect(asked.thinking).toEqual({ type: 'enabled', budget_tokens: 2_000 }),
  },
  {
    ...toAnthropic,
    name: 'a budget is added to thinking without one',
    model: 'claude-sonnet-4-5',
    request: { ...HI, thinking: { type: 'enabled' } },
    right(came) {
      isTaken(came);
      expect(objectOf(came.asked.thinking).type).toBe('enabled');
    },
  },
  {
    name: 'an image from a tool is sent to Anthropic within its result',
    client: 'responses',
    vendor: 'anthropic',
    api: 'messages',
    request: {
      input: [
        { role: 'user', content: 'look' },
        { type: 'function_call', call_id: 'c1', name: 'view', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [{ type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` }],
        },
      ],
    },
    answer: message,
    right({ asked }) {
      const [result] = objectsOf(objectsOf(asked.messages).at(-1)?.content);
      const [image] = objectsOf(result?.content);
      expect(image?.source).toEqual({ type: 'base64', media_type: 'image/png', data: PIXEL });
    },
  },
  {
    name: 'the web search tool of Responses becomes Gemini’s',
    client: 'responses',
    vendor: 'gemini',
    api: 'gemini',
    request: { input: 'Hi', tools: [{ type: 'web_search' }] },
    answer: generated,
    right: ({ asked }) => expect(asked.tools).toEqual([{ googleSearch: {} }]),
  },
  {
    ...toAnthropic,
    name: 'the web search option of chat becomes Anthropic’s tool',
    request: { ...HI, web_search_options: {} },
    right({ asked }) {
      const types = objectsOf(asked.tools).map(({ type }) => String(type));
      expect(types).toEqual([expect.stringMatching(/^web_search_\d{8}$/)]);
    },
  },
  {
    ...toAnthropic,
    name: 'a tool without a type is a function',
    request: { ...HI, tools: [{ function: { name: 'f', parameters: { type: 'object', properties: {} } } }] },
    right: ({ asked }) => expect(objectsOf(asked.tools).map(({ name }) => name)).toEqual(['f']),
  },
  {
    ...toAnthropic,
    name: 'fields of other vendors that cannot be sent are reported as left out',
    request: { ...HI, enable_thinking: false, reasoning_format: 'parsed', provider: { order: ['a'] } },
    right({ told }) {
      for (const name of ['enable_thinking', 'reasoning_format', 'provider']) expect(told).toContain(name);
    },
  },
  {
    ...toAnthropic,
    name: 'an effort that Anthropic does not know is not sent',
    model: 'claude-opus-4-7',
    request: { ...HI, reasoning_effort: 'default' },
    right: isTaken,
  },
  {
    name: 'a tool name that Gemini does not accept is replaced',
    client: 'chat',
    vendor: 'gemini',
    api: 'gemini',
    request: {
      ...HI,
      tools: [
        {
          type: 'function',
          function: { name: '0', parameters: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      ],
    },
    answer: generated,
    right: isTaken,
  },
  {
    ...toAnthropic,
    name: 'a service tier that Anthropic lacks is reported as left out',
    request: { ...HI, service_tier: 'priority' },
    right: ({ told }) => expect(told).toContain('service_tier'),
  },
  {
    name: 'a reference to an earlier response is reported as left out, or rejected',
    client: 'responses',
    vendor: 'anthropic',
    api: 'messages',
    request: { input: 'Hi', previous_response_id: 'resp_1' },
    answer: message,
    right: ({ status, told }) => expect(status === 400 || told.includes('previous_response_id')).toBe(true),
  },
];
