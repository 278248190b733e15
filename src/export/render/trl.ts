import type { ChatRules } from './chat.ts';
import type { Column, Format, RenderOptions } from './format.ts';
import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Example, Message } from '../conversation/conversation.ts';
import { chatMessages } from './chat.ts';
import { completionProblems, kindProblems, preferenceProblems, TEMPLATE_CHECK } from './trl-check.ts';
import { chatRowProblems } from './chat-check.ts';
import { fittedTools, TEMPLATE_FUNCTIONS } from './function-rules.ts';
import { differing, labelIn, rejectedIn } from './pairs.ts';
import { promptEndingInUser, leadingSystem, allMessages, toolsField } from './turns.ts';

/**
 * The form that chat templates accept: text as one string, arguments as objects, no refusals. Of the templates included
 * in TRL, three encode textual arguments twice and two crash on them. Results have the names of their functions, as in
 * TRL's own examples: its templates match them by call id, others, such as FunctionGemma's, do not. Images would need a
 * column of files beside the messages, which a log does not have.
 * @see https://huggingface.co/docs/trl/dataset_formats
 */
const TEMPLATE_RULES: ChatRules = {
  arguments: 'object',
  reasoningField: true,
  searchesText: true,
  toolNames: true,
};

const PROMPT: Column = { name: 'prompt', type: 'jsons' };
const TOOLS: Column = { name: 'tools', type: 'jsons', optional: true };
const METADATA: Column = { name: 'metadata', type: 'json', optional: true };

/** Supervised fine-tuning with TRL: whole conversations, in which all answers are trained. */
export const trlFormat: Format = {
  name: 'trl',
  summary: 'TRL, HF datasets, Unsloth: messages; all answers are trained',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: true,
  columns: [{ name: 'messages', type: 'jsons' }, TOOLS, METADATA],
  render: (example, options) => ({
    messages: templated(allMessages(example.conversation), options),
    ...more(example),
  }),
  check: (row) => [
    ...chatRowProblems(row, { ...TEMPLATE_CHECK, last: 'assistant' }),
    ...kindProblems(row, ['messages']),
  ],
};

/** Prompt and completion with TRL: the loss is on the completion only. */
export const trlPcFormat: Format = {
  name: 'trl-pc',
  summary: 'TRL: prompt and completion; only the answer is trained',
  sampleKind: 'sft',
  loss: 'completion',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: true,
  columns: [PROMPT, { name: 'completion', type: 'jsons' }, TOOLS, METADATA],
  render: (example, options) => ({
    prompt: promptOf(example, options),
    completion: templated([example.conversation.answer], options),
    ...more(example),
  }),
  // A judged row contains everything that this one needs.
  check: (row) => completionProblems(row, ['prompt', 'completion', 'label']),
};

/** Preference tuning with TRL. */
export const trlDpoFormat: Format = {
  name: 'trl-dpo',
  summary: 'TRL preference tuning: prompt, chosen, rejected',
  sampleKind: 'preference',
  loss: 'completion',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: true,
  columns: [PROMPT, { name: 'chosen', type: 'jsons' }, { name: 'rejected', type: 'jsons' }, TOOLS, METADATA],
  render: (example, options) => {
    const sides: [AssistantMessage, AssistantMessage] = [example.conversation.answer, rejectedIn(example)];
    const [chosen, rejected] = differing(templated([sides[0]], options), templated([sides[1]], options));
    return { prompt: promptOf(example, options), chosen, rejected, ...more(example) };
  },
  check: preferenceProblems,
};

/** Kahneman-Tversky optimization with TRL. */
export const ktoFormat: Format = {
  name: 'kto',
  summary: 'TRL KTO: prompt, completion, label',
  sampleKind: 'label',
  loss: 'completion',
  reasoning: 'keep',
  anyReasoningField: true,
  extras: true,
  columns: [PROMPT, { name: 'completion', type: 'jsons' }, { name: 'label', type: 'bool' }, TOOLS, METADATA],
  render: (example, options) => ({
    prompt: promptOf(example, options),
    completion: templated([example.conversation.answer], options),
    label: labelIn(example),
    ...more(example),
  }),
  check: (row) => [
    ...completionProblems(row, ['prompt', 'completion', 'label']),
    // The trainer accepts 0 and 1 as well.
    ...([true, false, 0, 1].includes(row.label as boolean) ? [] : ['label: expected true or false']),
  ],
};

function promptOf({ conversation }: Example, options: RenderOptions): JsonObject[] {
  return templated(promptEndingInUser(leadingSystem(conversation.prompt)), options);
}

function templated(messages: readonly Message[], options: RenderOptions): JsonObject[] {
  return chatMessages(messages, options, TEMPLATE_RULES);
}

function more({ conversation, metadata }: Example): JsonObject {
  const tools = fittedTools(conversation.tools, TEMPLATE_FUNCTIONS);
  return { ...toolsField(tools), ...(metadata ? { metadata } : {}) };
}
