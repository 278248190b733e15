/** How rows of messages break the rules of their loaders. */
import type { FormatName } from '../../../src/export/formats/all.ts';

const PNG = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const URL = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
const WEBP = { type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' } };
const HELLO = { role: 'assistant', content: 'Hello' };
const HI = { role: 'user', content: 'Hi' };
const CALL = 'messages[2].tool_calls[0]';

type Names = readonly FormatName[];
const CHATS = ['openai', 'fireworks', 'together', 'mistral', 'axolotl', 'trl'] as const;
const HOSTS = ['openai', 'fireworks', 'together', 'mistral'] as const;
const WEIGHTS = ['openai', 'fireworks', 'together', 'mistral'] as const;

/** What is wrong; in which formats; the path in a sound row; what stands there; what the checkers say. */
export const BROKEN_CHATS: readonly (readonly [string, Names, string, unknown, string])[] = [
  ['no messages', CHATS, 'messages', undefined, 'messages: expected a list'],
  ['empty messages', CHATS, 'messages', [], 'messages: is empty'],
  ['a message that is a text', CHATS, 'messages[1]', 'Hi', 'messages[1]: expected an object'],
  ['an unknown role', CHATS, 'messages[1].role', 'human', 'messages[1].role: expected'],
  ['no role', CHATS, 'messages[1].role', undefined, 'found none'],
  ['a role that few know', CHATS, 'messages[0].role', 'developer', 'messages[0].role: expected'],
  ['null from a user', CHATS, 'messages[1].content', null, 'messages[1].content: expected a text'],
  ['a user who says nothing', CHATS, 'messages[1].content', ' \n', 'messages[1].content: is blank'],
  ['a user without content', CHATS, 'messages[1].content', undefined, 'messages[1].content: expected a text'],
  ['an answer of nothing', CHATS, 'messages[4].content', '', 'messages[4]: says nothing'],
  ['a blank answer', CHATS, 'messages[4].content', ' ', 'messages[4].content: is blank'],
  ['an answer of null', CHATS, 'messages[4].content', null, 'messages[4]: says nothing'],
  ['the user last', CHATS, 'messages[5]', HI, "messages: the last message must be the assistant's"],
  ['no user', CHATS, 'messages', [HELLO], 'messages: no message of a user'],
  ['a key of no message', CHATS, 'messages[1].text', 'x', 'messages[1].text: unknown key'],
  ['a key of no message, as a list', CHATS, 'messages[4].annotations', [], 'annotations: unknown key'],
  ['no calls', CHATS, 'messages[2].tool_calls', [], 'messages[2].tool_calls: is empty'],
  ['calls of null', CHATS, 'messages[2].tool_calls', null, 'messages[2].tool_calls: expected a list'],
  ['a call without id', CHATS, `${CALL}.id`, undefined, `${CALL}.id: expected a text of its own`],
  ['a call of another type', CHATS, `${CALL}.type`, 'custom', `${CALL}.type: expected "function"`],
  ['a call without name', CHATS, `${CALL}.function.name`, '', `${CALL}.function.name: expected a text`],
  ['arguments that are a list', CHATS, `${CALL}.function.arguments`, '[]', `${CALL}.function.arguments`],
  ['arguments that are torn', CHATS, `${CALL}.function.arguments`, '{"a":', `${CALL}.function.arguments`],
  ['arguments as an object', HOSTS, `${CALL}.function.arguments`, {}, 'expected the JSON text of an object'],
  ['arguments as text', ['trl'], `${CALL}.function.arguments`, '{}', 'expected an object, not text'],
  ['a result of no call', CHATS, 'messages[3].tool_call_id', 'other', 'messages[3].tool_call_id: answers no'],
  ['a result without id', CHATS, 'messages[3].tool_call_id', undefined, 'messages[3].tool_call_id: expected'],
  ['a call without result', CHATS, 'messages[3]', HI, '1 calls before it have no result'],
  ['no tools, in a list', CHATS, 'tools', [], 'tools: is empty'],
  ['a tool of another kind', CHATS, 'tools[0].type', 'web_search', 'tools[0]: expected'],
  ['a tool without name', CHATS, 'tools[0].function.name', undefined, 'tools[0].function.name: expected'],
  ['parameters as text', CHATS, 'tools[0].function.parameters', '{}', 'tools[0].function.parameters'],
  ['a column that the host does not know', HOSTS, 'metadata', {}, 'metadata: unknown key'],
  [
    'null beside calls',
    ['fireworks', 'together', 'mistral', 'axolotl', 'trl'],
    'messages[2].content',
    null,
    'messages[2].content: is null',
  ],
  [
    'a refusal',
    ['fireworks', 'together', 'mistral', 'axolotl', 'trl'],
    'messages[4].refusal',
    'No',
    'messages[4].refusal: not known',
  ],
  [
    'a function of before tools',
    ['fireworks', 'together', 'mistral', 'axolotl', 'trl'],
    'messages[4].function_call',
    { name: 'f', arguments: '{}' },
    'messages[4].function_call: not known',
  ],
  ['a weight of a half', WEIGHTS, 'messages[4].weight', 0.5, 'messages[4].weight: expected 0 or 1'],
  [
    'a weight where none counts',
    ['trl', 'axolotl'],
    'messages[4].weight',
    1,
    'messages[4].weight: is passed over',
  ],
  [
    'a mark where none counts',
    ['trl', ...HOSTS],
    'messages[4].train',
    true,
    'messages[4].train: is passed over',
  ],
  [
    'a mark that is no boolean',
    ['axolotl'],
    'messages[4].train',
    'no',
    'messages[4].train: expected true or false',
  ],
  [
    'the system later on',
    ['fireworks', 'together', 'mistral', 'axolotl', 'trl'],
    'messages[1].role',
    'system',
    'messages[1].role: a system message must be the first',
  ],
  [
    'parts',
    ['mistral', 'axolotl', 'trl'],
    'messages[1].content',
    [{ type: 'text', text: 'Hi' }],
    'messages[1].content: expected a text',
  ],
  [
    'a part of an unknown kind',
    ['openai', 'fireworks', 'together'],
    'messages[1].content',
    [{ type: 'input_audio' }],
    'messages[1].content[0]: expected text or image_url',
  ],
  [
    'an image of the assistant',
    ['openai', 'fireworks', 'together'],
    'messages[4].content',
    [PNG],
    'messages[4].content[0]: only the user shows images',
  ],
  [
    'an image by URL',
    ['fireworks', 'together'],
    'messages[1].content',
    [URL],
    'messages[1].content[0].image_url.url: expected data',
  ],
  [
    'an image in WebP',
    ['fireworks'],
    'messages[1].content',
    [WEBP],
    'messages[1].content[0].image_url.url: expected data',
  ],
  [
    'an image of 11 MB',
    ['openai', 'fireworks', 'together'],
    'messages[1].content',
    [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(15e6)}` } }],
    '10 MB at most',
  ],
  [
    'eleven images',
    ['openai', 'together'],
    'messages[1].content',
    Array.from({ length: 11 }, () => PNG),
    'messages: 11 images: 10 are the most',
  ],
  ['an id of six characters', ['mistral'], `${CALL}.id`, 'call_1', `${CALL}.id: expected /^[A-Za-z0-9]{9}$/`],
  [
    'text beside calls',
    ['mistral'],
    'messages[2].content',
    'See.',
    'messages[2]: has both content and tool_calls',
  ],
  [
    'a tool without description',
    ['mistral'],
    'tools[0].function.description',
    undefined,
    'needs description and parameters',
  ],
  [
    'two users in a row',
    ['together', 'mistral'],
    'messages',
    [HI, HI, HELLO],
    'messages[1].role: the user twice in a row',
  ],
  [
    'two answers in a row',
    ['together', 'mistral'],
    'messages[5]',
    HELLO,
    'messages[5].role: the assistant twice in a row',
  ],
  [
    'the assistant first',
    ['together', 'mistral'],
    'messages',
    [HELLO, HI, HELLO],
    'messages[0].role: the user must be first',
  ],
  [
    'the user after a tool',
    ['together', 'mistral'],
    'messages[4]',
    HI,
    'messages[4].role: the assistant must answer',
  ],
];
