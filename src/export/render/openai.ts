import type { JsonObject } from '../../wire/json.ts';
import type { Conversation } from '../conversation/conversation.ts';
import type { TalkCheck, ToolsCheck } from './chat-check.ts';
import type { ChatRules } from './chat.ts';
import type { Format } from './format.ts';
import { chatMessages } from './chat.ts';
import { chatRowProblems, fileProblems } from './chat-check.ts';
import { OPENAI_FUNCTIONS, withFunctions } from './function-rules.ts';
import { promptEndingInUser, toolsField } from './turns.ts';

export const OPENAI_RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
  images: { urls: true, types: ['jpeg', 'jpg', 'png', 'webp'], most: 10 },
  refusals: true,
  names: true,
};

/** OpenAI still accepts deprecated functions, and `null` for no text. */
export const OPENAI_CHECK: TalkCheck & ToolsCheck = {
  rules: OPENAI_RULES,
  nullContent: true,
  functions: true,
  functionRules: OPENAI_FUNCTIONS,
};

/** OpenAI's limits for a file, which apply to Azure as well. */
export const OPENAI_FILE = { minRows: 10, maxBytes: 512 * 1024 ** 2 };

/**
 * OpenAI's supervised fine-tuning, whose format most hosts load.
 * @see https://platform.openai.com/docs/api-reference/fine-tuning/chat-input
 */
export const openaiFormat: Format = {
  name: 'openai',
  summary: 'OpenAI and Azure fine-tuning, and compatible hosts',
  sampleKind: 'sft',
  loss: 'per_turn',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
    { name: 'parallel_tool_calls', type: 'bool', optional: true },
  ],
  render: (example, options) => {
    const conversation = withFunctions(example.conversation, OPENAI_FUNCTIONS);
    const messages = [...promptEndingInUser(conversation.prompt), conversation.answer];
    return { messages: chatMessages(messages, options, OPENAI_RULES), ...toolsAndMode(conversation) };
  },
  check: (row) =>
    chatRowProblems(row, {
      ...OPENAI_CHECK,
      keys: ['messages', 'tools', 'parallel_tool_calls', 'functions'],
      last: 'assistant',
    }),
  checkFile: (file) => fileProblems(file, OPENAI_FILE),
};

/** The tools, and whether calls may be parallel. */
export function toolsAndMode({ tools, parallelToolCalls }: Conversation): JsonObject {
  const mode = tools.length > 0 && parallelToolCalls !== undefined;
  return { ...toolsField(tools), ...(mode ? { parallel_tool_calls: parallelToolCalls } : {}) };
}
