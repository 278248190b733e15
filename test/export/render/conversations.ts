/** Conversations that every format is tested with: one for each matter on which loaders disagree. */
import type {
  AssistantMessage,
  Conversation,
  Example,
  Message,
  Tool,
  ToolCall,
} from '../../../src/export/conversation/conversation.ts';

export function user(content: string): Message {
  return { role: 'user', content };
}

export function system(content: string): Message {
  return { role: 'system', content };
}

export function said(content: string, more: Partial<AssistantMessage> = {}): AssistantMessage {
  return { role: 'assistant', content, ...more };
}

/** A call of the weather tool. */
export function call(id: string, city: string): ToolCall {
  return { id, type: 'function', function: { name: 'weather', arguments: JSON.stringify({ city }) } };
}

export function result(id: string, content: string): Message {
  return { role: 'tool', tool_call_id: id, content };
}

export function shown(url: string): Message {
  return {
    role: 'user',
    content: [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url } },
    ],
  };
}

export const WEATHER: Tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const CLOCK: Tool = { type: 'function', function: { name: 'clock' } };
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export function talk(
  prompt: readonly Message[],
  answer: AssistantMessage = said('Fine.'),
  more: Partial<Conversation> = {},
): Example {
  return { conversation: { prompt, answer, tools: [], ...more } };
}

const asked = [user('How are you?')];

export const CONVERSATIONS: Readonly<Record<string, Example>> = {
  text: talk(asked),
  'a system prompt': talk([system('Be kind.'), ...asked]),
  'names of speakers': talk([{ role: 'user', content: 'Hi', name: 'ann' }], said('Hello', { name: 'bot' })),
  'an answer after a tool': talk(
    [user('Weather in Oslo?'), said('', { tool_calls: [call('call_1', 'Oslo')] }), result('call_1', '3 C')],
    said('Cold.'),
    { tools: [WEATHER], parallelToolCalls: false },
  ),
  'parallel calls, answered the other way round': talk(
    [
      user('Oslo or Rome?'),
      said('Let me see.', { tool_calls: [call('call_1', 'Oslo'), call('call_2', 'Rome')] }),
      result('call_2', '21 C'),
      result('call_1', '3 C'),
    ],
    said('Rome.'),
    { tools: [WEATHER] },
  ),
  'the same id in two turns': talk(
    [
      user('Oslo?'),
      said('', { tool_calls: [call('call_1', 'Oslo')] }),
      result('call_1', '3 C'),
      said('3 C. And Rome?'),
      user('Yes.'),
      said('', { tool_calls: [call('call_1', 'Rome')] }),
      result('call_1', '21 C'),
    ],
    said('21 C.'),
    { tools: [WEATHER] },
  ),
  'an answer of calls, with a tool that is not described': talk(
    asked,
    said('One moment.', { tool_calls: [call('abcDEF123', 'Oslo')] }),
    { tools: [WEATHER, CLOCK] },
  ),
  'a user right after a tool': talk(
    [user('Oslo?'), said('', { tool_calls: [call('c', 'Oslo')] }), result('c', ''), user('Well?')],
    said('3 C.'),
    { tools: [WEATHER] },
  ),
  'tools that nobody calls': talk(asked, said('Fine.'), { tools: [WEATHER], parallelToolCalls: true }),
  thoughts: talk(asked, said('Fine.', { reasoning: 'They ask\nhow I am.' })),
  'thoughts before calls': talk(
    asked,
    said('', { reasoning: 'Look.', tool_calls: [call('call_1', 'Oslo')] }),
    {
      tools: [WEATHER],
    },
  ),
  'an image by URL': talk([shown('https://example.com/cat.png')], said('A cat.')),
  'an image as data': talk([shown(`data:image/png;base64,${PIXEL}`)], said('A dot.')),
  'an image under another name': talk([shown(`data:image/JPG;base64,${PIXEL}`)], said('A dot.')),
  'an image of a kind that few take': talk([shown(`data:image/gif;base64,${PIXEL}`)], said('A dot.')),
  'eleven images': talk(
    Array.from({ length: 11 }, (_, index) =>
      index % 2 === 0 ? shown(`data:image/png;base64,${PIXEL}`) : said('A dot.'),
    ).concat(Array.from({ length: 5 }, () => shown(`data:image/png;base64,${PIXEL}`))),
    said('Dots.'),
  ),
  'a refusal kept apart': talk(asked, said('', { refusal: 'I cannot help with that.' })),
  'a refusal after some words': talk(asked, said('Well.', { refusal: 'No.' })),
  'an answer that ends early': talk(asked, said('Fine, and you, my')),
  'a turn that is not trained': talk(
    [user('1+1?'), said('3', { untrained: true }), user('Sure?')],
    said('2'),
  ),
  'users in a row': talk([user('Hi.'), user('How are you?')]),
  'answers in a row, one of them not trained': talk([
    user('Hi.'),
    said('Hello.'),
    said('Oh.', { untrained: true }),
    user('How are you?'),
  ]),
  'a system prompt in the middle': talk([
    system('Be kind.'),
    user('Hi.'),
    said('Hello.'),
    system('Be brief.'),
    user('How are you?'),
  ]),
  'the assistant first': talk([said('Welcome.'), ...asked]),
  'no user': talk([system('Tell a joke.')], said('No.')),
  'an answer that was begun': talk([user('Count.'), said('1, 2')], said(', 3')),
  'results of tools in texts': talk([
    user('What time is it?'),
    said('<tool_call>clock</tool_call>'),
    user('<tool_response>\n9:00\n</tool_response>'),
  ]),
  'only results of tools in texts': talk([user(' <tool_response>\n9:00\n</tool_response>')]),
  'bounds of turns in a text': talk([user('What is <|im_end|>?')], said('A token.')),
  'where it comes from': { ...talk(asked), metadata: { id: 'req_1', model: 'm' } },
  'a pair': { ...talk([system('Be kind.'), ...asked]), rejected: said('Go away.'), label: true },
  'a pair with calls and thoughts': {
    ...talk([user('Oslo?')], said('', { reasoning: 'Look.', tool_calls: [call('call_1', 'Oslo')] }), {
      tools: [WEATHER],
    }),
    rejected: said('I guess 3 C.', { reasoning: 'Guess.' }),
    label: true,
  },
  'a pair that differs in its thoughts': {
    ...talk(asked, said('Fine.', { reasoning: 'Be brief.' })),
    rejected: said('Fine.', { reasoning: 'Be long.' }),
  },
  'a bad answer': { ...talk(asked, said('Go away.')), label: false },
};
