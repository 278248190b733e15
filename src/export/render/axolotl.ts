import type { Format } from './format.ts';
import type { ChatRules } from './chat.ts';
import { chatMessages } from './chat.ts';
import { chatRowProblems } from './chat-check.ts';
import { fittedTools, TEMPLATE_FUNCTIONS } from './function-rules.ts';
import { allMessages, toolsField } from './turns.ts';

const RULES: ChatRules = {
  arguments: 'string',
  mark: 'train',
  reasoningField: true,
  searchesText: true,
};

/**
 * axolotl's `type: chat_template` with `message_field_training: train`. Arguments are text, since a column of objects
 * with varying types does not load.
 * @see https://docs.axolotl.ai/docs/dataset-formats/conversation.html
 */
export const axolotlFormat: Format = {
  name: 'axolotl',
  summary: 'axolotl: type chat_template, message_field_training train',
  sampleKind: 'sft',
  loss: 'per_turn',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: true,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render: ({ conversation, metadata }, options) => ({
    messages: chatMessages(allMessages(conversation), options, RULES),
    ...toolsField(fittedTools(conversation.tools, TEMPLATE_FUNCTIONS)),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) =>
    chatRowProblems(row, {
      rules: RULES,
      anyArguments: true,
      textTools: true,
      last: 'assistant',
      systemFirst: true,
      asksQuestion: true,
      functionRules: TEMPLATE_FUNCTIONS,
    }),
};
