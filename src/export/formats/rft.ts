import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import { Unfit } from '../reasons.ts';
import { boundedImages, chatMessages } from './chat.ts';
import { fileProblems, talkProblems, toolsProblems } from './check-chat.ts';
import { OPENAI_RULES } from './openai.ts';
import { callsOf, toolsField } from './turns.ts';

const MIN_ROWS = 10;

/**
 * Reinforcement tuning: a prompt that ends with the user, and the logged answer for the grader. Any key beside messages
 * and tools reaches it as `{{item.KEY}}`: here `reference_answer`, and `reference_tool_calls` where the answer is calls.
 */
export const rftFormat: Format = {
  name: 'rft',
  summary: 'OpenAI reinforcement tuning, Bedrock RFT: prompts with a reference answer',
  makes: 'prompt',
  masks: 'prompt',
  reasoning: 'drop',
  extras: true,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
    { name: 'reference_answer', type: 'string' },
    { name: 'reference_tool_calls', type: 'jsons', optional: true },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render,
  check: (row) => [
    ...talkProblems(row.messages, 'messages', {
      rules: OPENAI_RULES,
      keys: [],
      last: 'user',
      imageUrls: true,
    }),
    ...('tools' in row ? toolsProblems(row.tools, {}) : []),
  ],
  checkFile: (file) => fileProblems(file, { minRows: MIN_ROWS }),
};

function render({ conversation, metadata }: Example, options: RenderOptions): JsonObject {
  const { prompt, answer, tools } = conversation;
  if (prompt.at(-1)?.role !== 'user') throw new Unfit('wrong_order');
  if (answer.refusal !== undefined) throw new Unfit('refusal');
  boundedImages(prompt, true);
  const calls = callsOf(answer, 'object')?.map(({ function: called }) => called);
  return {
    messages: chatMessages(prompt, options, { ...OPENAI_RULES, mark: undefined }),
    ...toolsField(tools),
    reference_answer: answer.content,
    ...(calls ? { reference_tool_calls: calls } : {}),
    ...(metadata ? { metadata } : {}),
  };
}
