/** Hosts that load OpenAI's messages, each with rules of its own. */
import type { JsonObject } from '../../wire/json.ts';
import type { Example, Message } from '../conversation.ts';
import type { ChatRules } from './chat.ts';
import type { Column, Format, RenderOptions } from './format.ts';
import { boundedImages, chatMessages } from './chat.ts';
import { chatRowProblems, fileProblems } from './check-chat.ts';
import { alternating, leadingSystem, toolsField } from './turns.ts';

const COLUMNS: readonly Column[] = [
  { name: 'messages', type: 'jsons' },
  { name: 'tools', type: 'jsons', optional: true },
];
const RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
  images: 'user',
  refusals: false,
  names: false,
};

/**
 * Together: no other key than the format's own, roles in turn, images as data.
 * @see https://docs.together.ai/docs/fine-tuning/data-preparation
 */
export const togetherFormat: Format = {
  name: 'together',
  summary: 'Together fine-tuning',
  makes: 'answer',
  masks: 'turns',
  reasoning: 'drop',
  extras: false,
  columns: COLUMNS,
  render: (example, options) =>
    rowOf(example, options, { order: (messages) => alternating(leadingSystem(messages)), imageUrls: false }),
  check: (row) =>
    chatRowProblems(row, { rules: RULES, keys: ['messages', 'tools'], last: 'assistant', alternate: true }),
  checkFile: (file) => fileProblems(file, { maxBytes: 100e9 }),
};

/**
 * Fireworks: a system message only at the start, from 3 to 3,000,000 rows.
 * @see https://docs.fireworks.ai/fine-tuning/fine-tuning-models
 */
export const fireworksFormat: Format = {
  name: 'fireworks',
  summary: 'Fireworks fine-tuning',
  makes: 'answer',
  masks: 'turns',
  reasoning: 'keep',
  extras: false,
  columns: COLUMNS,
  render: (example, options) => rowOf(example, options, { order: leadingSystem, imageUrls: false }),
  check: (row) =>
    chatRowProblems(row, { rules: RULES, keys: ['messages', 'tools'], last: 'assistant', systemFirst: true }),
  checkFile: (file) => fileProblems(file, { minRows: 3, maxRows: 3_000_000 }),
};

interface HostRules {
  readonly order: (messages: readonly Message[]) => Message[];
  readonly imageUrls: boolean;
}

function rowOf(
  { conversation }: Example,
  options: RenderOptions,
  { order, imageUrls }: HostRules,
): JsonObject {
  const { prompt, answer, tools } = conversation;
  boundedImages(prompt, imageUrls);
  return { messages: chatMessages(order([...prompt, answer]), options, RULES), ...toolsField(tools) };
}
