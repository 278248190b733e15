/** Rows with separate prompts and answers that break the rules of their loaders. */
import type { FormatName } from '../../../src/config/export/options.ts';

const PNG = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const HELLO = { role: 'assistant', content: 'Hello' };
const HI = { role: 'user', content: 'Hi' };
const PROMPTS = ['trl-pc', 'trl-dpo', 'kto'] as const;

/** The fault; the formats; the path in a valid row; the value at that path; the checker's message. */
export const BROKEN_SIDES: readonly (readonly [string, readonly FormatName[], string, unknown, string])[] = [
  ['a prompt beside messages', ['trl'], 'prompt', [HI], 'prompt: belongs to another kind of row'],
  ['an invalid tool', PROMPTS, 'tools', [{}], 'tools[0]: expected'],
  [
    'a prompt with only results of tools in texts',
    PROMPTS,
    'prompt',
    [{ role: 'user', content: '<tool_response>1</tool_response>' }],
    'prompt: chat templates take all messages of the user for results',
  ],
  ['no prompt', ['trl-pc', 'kto'], 'prompt', undefined, 'prompt: expected a list'],
  ['an empty prompt', PROMPTS, 'prompt', [], 'prompt: is empty'],
  [
    'a prompt that ends with the assistant',
    PROMPTS,
    'prompt[2]',
    HELLO,
    'prompt: must end with the user or a tool',
  ],
  [
    'a prompt with only a system message',
    PROMPTS,
    'prompt',
    [{ role: 'system', content: 'x' }],
    'not with the system',
  ],
  ['no completion', ['trl-pc', 'kto'], 'completion', undefined, 'completion: expected a list'],
  ['a completion by the user', ['trl-pc', 'kto'], 'completion', [HI], 'completion: the last message must be'],
  ['a completion as text', ['trl-pc', 'kto'], 'completion', 'Hello', 'completion: expected a list'],
  ['messages beside a prompt', PROMPTS, 'messages', [HI], 'messages: belongs to another kind of row'],
  ['no label', ['kto'], 'label', undefined, 'label: expected true or false'],
  ['a label that is text', ['kto'], 'label', 'good', 'label: expected true or false'],
  ['no chosen answer', ['trl-dpo'], 'chosen', undefined, 'chosen: expected a list'],
  ['the same answer twice', ['trl-dpo'], 'rejected', [HELLO], 'rejected: is the same as chosen'],
  ['no prompt anywhere', ['trl-dpo'], 'prompt', undefined, 'chosen and rejected begin differently'],
  ['no input', ['openai-dpo'], 'input', undefined, 'input: expected an object'],
  ['an input without messages', ['openai-dpo'], 'input.messages', [], 'input.messages: is empty'],
  [
    'an input that ends with the assistant',
    ['openai-dpo'],
    'input.messages[2]',
    HELLO,
    'input.messages: must not end',
  ],
  ['an unknown key in the input', ['openai-dpo'], 'input.metadata', {}, 'input.metadata: unknown key'],
  [
    'an image',
    ['openai-dpo'],
    'input.messages[1].content',
    [PNG],
    'input.messages[1].content: expected a text',
  ],
  ['an invalid tool', ['openai-dpo'], 'input.tools[0].function', 'f', 'input.tools[0]: expected'],
  ['no outputs', ['openai-dpo'], 'preferred_output', [], 'preferred_output: is empty'],
  [
    'an output by the user',
    ['openai-dpo'],
    'preferred_output',
    [HI],
    'preferred_output[0].role: expected assistant',
  ],
  [
    'the same output twice',
    ['openai-dpo'],
    'non_preferred_output',
    [HELLO],
    'is the same as preferred_output',
  ],
  [
    'the output names of the OpenAPI document',
    ['openai-dpo'],
    'preferred_completion',
    [HELLO],
    'preferred_completion: unknown key',
  ],
  ['the assistant last', ['rft'], 'messages[2]', HELLO, "messages: the last message must be the user's"],
  ['no prompt', ['rft'], 'messages', undefined, 'messages: expected a list'],
  ['an invalid tool', ['rft'], 'tools', [{}], 'tools[0]: expected'],
  ['no text', ['text'], 'text', undefined, 'text: expected a text'],
  ['a blank text', ['text'], 'text', ' ', 'text: is blank'],
  ['another key', ['text'], 'messages', [], 'messages: unknown key'],
];
