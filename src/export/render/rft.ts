import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation/conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import { RejectError } from '../errors.ts';
import { chatMessages } from './chat.ts';
import { fileProblems, talkProblems, toolsProblems } from './chat-check.ts';
import { OPENAI_FUNCTIONS, withFunctions } from './function-rules.ts';
import { OPENAI_CHECK, OPENAI_FILE, OPENAI_RULES } from './openai.ts';
import { callsOf, toolsField } from './turns.ts';

/**
 * Reinforcement tuning: a prompt that ends with a user message, and the logged answer for the grader. Any key beside
 * messages and tools is available to it as `{{item.KEY}}`: here `reference_answer`, and `reference_tool_calls` if the
 * answer has calls.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/rft-prepare-data-open-weight.html
 */
export const rftFormat: Format = {
  name: 'rft',
  summary: 'OpenAI reinforcement fine-tuning, Bedrock RFT: prompts with a reference answer',
  sampleKind: 'prompt',
  loss: 'completion',
  reasoning: 'drop',
  extras: true,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
    { name: 'reference_answer', type: 'string' },
    { name: 'reference_tool_calls', type: 'jsons', optional: true },
    { name: 'reward', type: 'number', optional: true },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render,
  check: (row) => [
    ...talkProblems(row.messages, 'messages', { ...OPENAI_CHECK, last: 'user' }),
    ...toolsProblems(row, '', OPENAI_CHECK),
  ],
  checkFile: (file) => fileProblems(file, OPENAI_FILE),
};

function render({ conversation, metadata, score }: Example, options: RenderOptions): JsonObject {
  const { prompt, answer, tools } = withFunctions(conversation, OPENAI_FUNCTIONS);
  if (prompt.at(-1)?.role !== 'user') throw new RejectError('wrong_order');
  if (answer.refusal !== undefined) throw new RejectError('refusal');
  const calls = callsOf(answer, 'object')?.map(({ function: called }) => called);
  return {
    // The prompt is never trained: there is nothing to mark.
    messages: chatMessages(prompt, options, { ...OPENAI_RULES, mark: undefined }),
    ...toolsField(tools),
    reference_answer: answer.content,
    ...(calls ? { reference_tool_calls: calls } : {}),
    ...(score === undefined ? {} : { reward: score }),
    ...(metadata ? { metadata } : {}),
  };
}
