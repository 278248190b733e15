/** Hosts that load OpenAI's messages, each with its own rules. */
import type { RowCheck } from './chat-check.ts';
import type { ChatRules } from './chat.ts';
import type { Column, Format } from './format.ts';
import { chatMessages } from './chat.ts';
import { chatRowProblems, fileProblems } from './chat-check.ts';
import { alternating, allMessages, toolsField } from './turns.ts';

const COLUMNS: readonly Column[] = [
  { name: 'messages', type: 'jsons' },
  { name: 'tools', type: 'jsons', optional: true },
];
const ROW = { keys: ['messages', 'tools'], last: 'assistant' } as const satisfies Partial<RowCheck>;

const TOGETHER_RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
  images: { urls: false, types: ['jpeg', 'png', 'webp'], most: 10, allParts: true },
  reasoningField: true,
};
const FIREWORKS_RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
  images: { urls: false, types: ['jpeg', 'jpg', 'png'] },
  reasoningField: true,
};

/**
 * Together: no keys beyond those of the format, alternating roles, of which a user may follow results, images as data, all messages as lists of parts if
 * one is, and at most 50.1 GiB per file, as checked by version 2.42 of its client.
 * @see https://docs.together.ai/docs/fine-tuning/data-preparation
 * @see https://docs.together.ai/docs/fine-tuning/function-calling
 */
export const togetherFormat: Format = {
  name: 'together',
  summary: 'Together fine-tuning',
  sampleKind: 'sft',
  loss: 'per_turn',
  reasoning: 'drop',
  anyReasoningField: true,
  extras: false,
  columns: COLUMNS,
  render: ({ conversation }, options) => ({
    messages: chatMessages(alternating(allMessages(conversation)), options, TOGETHER_RULES),
    ...toolsField(conversation.tools),
  }),
  check: (row) => chatRowProblems(row, { ...ROW, rules: TOGETHER_RULES, alternate: true }),
  checkFile: (file) => fileProblems(file, { maxBytes: Math.floor(50.1 * 1024 ** 3) }),
};

/**
 * Fireworks: a system message only at the start, from 3 to 3,000,000 rows, images as JPEG or PNG data.
 * @see https://docs.fireworks.ai/fine-tuning/fine-tuning-models
 * @see https://docs.fireworks.ai/fine-tuning/fine-tuning-vlm
 */
export const fireworksFormat: Format = {
  name: 'fireworks',
  summary: 'Fireworks fine-tuning',
  sampleKind: 'sft',
  loss: 'per_turn',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: false,
  columns: COLUMNS,
  render: ({ conversation }, options) => ({
    messages: chatMessages(allMessages(conversation), options, FIREWORKS_RULES),
    ...toolsField(conversation.tools),
  }),
  check: (row) => chatRowProblems(row, { ...ROW, rules: FIREWORKS_RULES, systemFirst: true }),
  checkFile: (file) => fileProblems(file, { minRows: 3, maxRows: 3_000_000 }),
};
