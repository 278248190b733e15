import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation.ts';
import type { ChatRules } from './chat.ts';
import type { Format, RenderOptions } from './format.ts';
import { isObject } from '../../wire/json.ts';
import { Unfit } from '../reasons.ts';
import { chatMessages } from './chat.ts';
import { fileProblems, talkProblems, toolsProblems } from './check-chat.ts';
import { unknownKeys } from './check.ts';
import { OPENAI_RULES } from './openai.ts';
import { toolsField } from './turns.ts';

/** Text alone. */
const RULES: ChatRules = { ...OPENAI_RULES, images: 'none', refusals: false };
const MIN_ROWS = 10;

/**
 * OpenAI's preference tuning: one turn that is better and one that is worse. Its OpenAPI once said `preferred_completion`;
 * clients and guides say `preferred_output`, and so do hosts.
 * @see https://platform.openai.com/docs/guides/direct-preference-optimization
 */
export const openaiDpoFormat: Format = {
  name: 'openai-dpo',
  summary: 'OpenAI preference tuning, and hosts that load the same',
  makes: 'pair',
  masks: 'prompt',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'input', type: 'json' },
    { name: 'preferred_output', type: 'jsons' },
    { name: 'non_preferred_output', type: 'jsons' },
  ],
  render,
  check,
  checkFile: (file) => fileProblems(file, { minRows: MIN_ROWS }),
};

function render({ conversation, rejected }: Example, options: RenderOptions): JsonObject {
  const { prompt, answer, tools, parallelToolCalls } = conversation;
  if (prompt.at(-1)?.role === 'assistant') throw new Unfit('wrong_order');
  return {
    input: {
      messages: chatMessages(prompt, options, RULES),
      ...toolsField(tools),
      ...(tools.length > 0 && parallelToolCalls !== undefined
        ? { parallel_tool_calls: parallelToolCalls }
        : {}),
    },
    preferred_output: chatMessages([answer], options, RULES),
    non_preferred_output: chatMessages([rejected!], options, RULES),
  };
}

function check(row: JsonObject): string[] {
  const problems = unknownKeys(row, ['input', 'preferred_output', 'non_preferred_output'], '');
  const { input } = row;
  if (!isObject(input)) return [...problems, 'input: expected an object'];
  problems.push(...unknownKeys(input, ['messages', 'tools', 'parallel_tool_calls'], 'input'));
  problems.push(...talkProblems(input.messages, 'input.messages', { rules: RULES, keys: [] }));
  if ('tools' in input && !(Array.isArray(input.tools) && input.tools.length === 0))
    problems.push(...toolsProblems(input.tools, {}).map((problem) => `input.${problem}`));
  for (const side of ['preferred_output', 'non_preferred_output']) {
    const output = row[side];
    if (!Array.isArray(output) || output.length === 0) {
      problems.push(`${side}: expected a list with a message of the assistant`);
      continue;
    }
    problems.push(...talkProblems(output, side, { rules: RULES, keys: [] }));
    for (const [index, message] of output.entries())
      if (isObject(message) && message.role !== 'assistant' && message.role !== 'tool')
        problems.push(`${side}[${index}].role: expected assistant or tool`);
  }
  return problems;
}
