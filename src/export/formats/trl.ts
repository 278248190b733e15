import type { Conversation } from '../conversation.ts';
import type { ChatCheck } from './check-chat.ts';
import type { ChatRules } from './chat.ts';
import type { Column, Format } from './format.ts';
import { isObject } from '../../wire/json.ts';
import type { JsonObject } from '../../wire/json.ts';
import { chatMessages } from './chat.ts';
import { chatRowProblems, talkProblems, toolsProblems } from './check-chat.ts';
import { unknownKeys } from './check.ts';
import { leadingSystem, toolsField } from './turns.ts';

/**
 * What chat templates take: text as one string, arguments as objects, no refusals. Of the templates that come with
 * TRL, arguments as text are encoded twice by three and crash two.
 */
export const TEMPLATE_RULES: ChatRules = {
  arguments: 'object',
  images: 'none',
  refusals: false,
  names: false,
};

const TOOLS: Column = { name: 'tools', type: 'jsons', optional: true };
const METADATA: Column = { name: 'metadata', type: 'json', optional: true };
const OBJECT_ARGUMENTS: ChatCheck = { rules: TEMPLATE_RULES, keys: [], systemFirst: true };

/** Supervised fine-tuning with TRL: whole conversations, of which all answers are trained. */
export const trlFormat: Format = {
  name: 'trl',
  summary: 'TRL, HF datasets, Unsloth: messages; all answers are trained',
  makes: 'answer',
  masks: 'none',
  reasoning: 'keep',
  extras: true,
  columns: [{ name: 'messages', type: 'jsons' }, TOOLS, METADATA],
  render: ({ conversation: { prompt, answer, tools }, metadata }, options) => ({
    messages: chatMessages(leadingSystem([...prompt, answer]), options, TEMPLATE_RULES),
    ...toolsField(tools),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) =>
    chatRowProblems(row, { ...OBJECT_ARGUMENTS, keys: ['messages', 'tools', 'metadata'], last: 'assistant' }),
};

/** Prompt and completion with TRL: the loss is on the completion alone. */
export const trlPcFormat: Format = {
  name: 'trl-pc',
  summary: 'TRL: prompt and completion; only the answer is trained',
  makes: 'answer',
  masks: 'prompt',
  reasoning: 'keep',
  extras: true,
  columns: [{ name: 'prompt', type: 'jsons' }, { name: 'completion', type: 'jsons' }, TOOLS, METADATA],
  render: ({ conversation, metadata }, options) => ({
    prompt: promptOf(conversation, options),
    completion: chatMessages([conversation.answer], options, TEMPLATE_RULES),
    ...toolsField(conversation.tools),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) => sidesProblems(row, ['completion'], ['metadata']),
};

/** Preference tuning with TRL. */
export const trlDpoFormat: Format = {
  name: 'trl-dpo',
  summary: 'TRL preference tuning: prompt, chosen, rejected',
  makes: 'pair',
  masks: 'prompt',
  reasoning: 'keep',
  extras: true,
  columns: [
    { name: 'prompt', type: 'jsons' },
    { name: 'chosen', type: 'jsons' },
    { name: 'rejected', type: 'jsons' },
    TOOLS,
    METADATA,
  ],
  render: ({ conversation, rejected, metadata }, options) => ({
    prompt: promptOf(conversation, options),
    chosen: chatMessages([conversation.answer], options, TEMPLATE_RULES),
    rejected: chatMessages([rejected!], options, TEMPLATE_RULES),
    ...toolsField(conversation.tools),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) => [
    ...sidesProblems(row, ['chosen', 'rejected'], ['metadata']),
    ...(JSON.stringify(row.chosen) === JSON.stringify(row.rejected)
      ? ['rejected: is the same as chosen']
      : []),
  ],
};

/** Kahneman-Tversky optimization with TRL. */
export const ktoFormat: Format = {
  name: 'kto',
  summary: 'TRL KTO: prompt, completion, label',
  makes: 'label',
  masks: 'prompt',
  reasoning: 'keep',
  extras: true,
  columns: [
    { name: 'prompt', type: 'jsons' },
    { name: 'completion', type: 'jsons' },
    { name: 'label', type: 'bool' },
    TOOLS,
    METADATA,
  ],
  render: ({ conversation, label, metadata }, options) => ({
    prompt: promptOf(conversation, options),
    completion: chatMessages([conversation.answer], options, TEMPLATE_RULES),
    label: label === true,
    ...toolsField(conversation.tools),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) => [
    ...sidesProblems(row, ['completion'], ['label', 'metadata']),
    ...(typeof row.label === 'boolean' ? [] : ['label: expected true or false']),
  ],
};

function promptOf({ prompt }: Conversation, options: Parameters<typeof chatMessages>[1]): JsonObject[] {
  return chatMessages(leadingSystem(prompt), options, TEMPLATE_RULES);
}

/** Problems of a row with a prompt and one or more ways on from it. */
function sidesProblems(row: JsonObject, sides: readonly string[], more: readonly string[]): string[] {
  const prompt = Array.isArray(row.prompt) ? (row.prompt as unknown[]) : [];
  return [
    ...unknownKeys(row, ['prompt', ...sides, 'tools', ...more], ''),
    ...promptProblems(row.prompt),
    ...sides.flatMap((side) => sideProblems(row[side], side, prompt)),
    ...('tools' in row ? toolsProblems(row.tools, {}) : []),
  ];
}

function promptProblems(prompt: unknown): string[] {
  const problems = talkProblems(prompt, 'prompt', OBJECT_ARGUMENTS);
  const last = Array.isArray(prompt) ? (prompt.at(-1) as unknown) : undefined;
  return isObject(last) && last.role === 'assistant'
    ? [...problems, 'prompt: ends with the assistant']
    : problems;
}

function sideProblems(side: unknown, path: string, prompt: readonly unknown[]): string[] {
  if (!Array.isArray(side) || side.length === 0)
    return [`${path}: expected a list with a message of the assistant`];
  const found = talkProblems(side, path, OBJECT_ARGUMENTS);
  const last = side.at(-1) as unknown;
  if (!isObject(last) || last.role !== 'assistant')
    found.push(`${path}: the last message must be the assistant's`);
  return prompt.length === 0 ? [...found, 'prompt: is empty'] : found;
}
