/** A model's turn that a client returns in pieces, as clients do that keep every piece of a stream as a message. */
import type { Json } from '../helpers/sent-requests.ts';
import { expect, test } from 'bun:test';
import { requestSentTo } from '../helpers/sent-requests.ts';

const CITIES = ['Rome', 'Bonn'];
const told = (city: string) => `12 degrees in ${city}`;
/** Without ids, results belong to the calls of the same name, in order. */
const CONTENTS = [
  { role: 'user', parts: [{ text: 'Compare them.' }] },
  { role: 'model', parts: [{ text: 'Let me ' }] },
  { role: 'model', parts: [{ text: 'look.' }] },
  ...CITIES.map((city) => ({
    role: 'model',
    parts: [{ functionCall: { name: 'weather', args: { city } } }],
  })),
  { role: 'model', parts: [{ text: '' }] },
  {
    role: 'user',
    parts: CITIES.map((city) => ({
      functionResponse: { name: 'weather', response: { result: told(city) } },
    })),
  },
];
const OLLAMAS = [
  { role: 'user', content: 'Compare them.' },
  { role: 'assistant', content: 'Let me look.' },
  ...CITIES.map((city) => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ function: { name: 'weather', arguments: { city } } }],
  })),
  ...CITIES.map((city) => ({ role: 'tool', tool_name: 'weather', content: told(city) })),
];
const TURNS = [
  { role: 'user', content: 'Compare them.' },
  { role: 'assistant', content: 'Let me look.' },
  ...CITIES.map((city) => ({
    role: 'assistant',
    content: [{ type: 'tool_use', id: city, name: 'weather', input: { city } }],
  })),
  {
    role: 'user',
    content: CITIES.map((city) => ({ type: 'tool_result', tool_use_id: city, content: told(city) })),
  },
];
const CLIENTS = [
  ['Gemini', '/v1beta/models/m:generateContent', { contents: CONTENTS }],
  ['Ollama', '/api/chat', { model: 'm', messages: OLLAMAS, stream: false }],
  ['Anthropic', '/v1/messages', { model: 'm', max_tokens: 99, messages: TURNS }],
] as const;

test.each(CLIENTS)('%s’s reaches a chat server and Cohere as one message', async (_, path, body) => {
  for (const type of ['openai-compatible', 'cohere'] as const) {
    const asked = await requestSentTo(type, body, { path });
    const [, said, ...results] = asked.body.messages as Json[];
    const calls = said!.tool_calls as { id: string; function: { arguments: string } }[];
    expect(calls.map((call) => JSON.parse(call.function.arguments) as Json)).toEqual(
      CITIES.map((city) => ({ city })),
    );
    expect(results.map(({ tool_call_id: id }) => id)).toEqual(calls.map(({ id }) => id));
    expect(JSON.stringify(results)).toMatch(/Rome.*Bonn/);
    if (type !== 'cohere') expect(said!.content).toBe('Let me look.');
  }
});
