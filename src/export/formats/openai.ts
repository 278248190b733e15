import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation.ts';
import type { ChatRules } from './chat.ts';
import type { Format, RenderOptions } from './format.ts';
import { boundedImages, chatMessages } from './chat.ts';
import { chatRowProblems, fileProblems } from './check-chat.ts';
import { toolsField } from './turns.ts';

export const OPENAI_RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
  images: 'user',
  refusals: true,
  names: true,
};

/** OpenAI caps a file; Azure does so too. */
const MAX_BYTES = 512 * 1024 ** 2;
const MIN_ROWS = 10;

/**
 * OpenAI's supervised fine-tuning, which most hosts load.
 * @see https://platform.openai.com/docs/api-reference/fine-tuning/chat-input
 */
export const openaiFormat: Format = {
  name: 'openai',
  summary: 'OpenAI and Azure fine-tuning, and hosts that load the same',
  makes: 'answer',
  masks: 'turns',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
    { name: 'parallel_tool_calls', type: 'bool', optional: true },
  ],
  render: openaiRow,
  check: (row) =>
    chatRowProblems(row, {
      rules: OPENAI_RULES,
      keys: ['messages', 'tools', 'parallel_tool_calls', 'functions'],
      last: 'assistant',
      imageUrls: true,
    }),
  checkFile: (file) => fileProblems(file, { minRows: MIN_ROWS, maxBytes: MAX_BYTES }),
};

function openaiRow({ conversation }: Example, options: RenderOptions): JsonObject {
  const { prompt, answer, tools, parallelToolCalls } = conversation;
  boundedImages(prompt, true);
  return {
    messages: chatMessages([...prompt, answer], options, OPENAI_RULES),
    ...toolsField(tools),
    ...(tools.length > 0 && parallelToolCalls !== undefined
      ? { parallel_tool_calls: parallelToolCalls }
      : {}),
  };
}
