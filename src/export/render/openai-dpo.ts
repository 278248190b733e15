import type { JsonObject } from '../../wire/json.ts';
import type { Example } from '../conversation/conversation.ts';
import type { TalkCheck, ToolsCheck } from './chat-check.ts';
import type { ChatRules } from './chat.ts';
import type { Format, RenderOptions } from './format.ts';
import { isObject } from '../../wire/json.ts';
import { chatMessages } from './chat.ts';
import { fileProblems, talkProblems, toolsProblems } from './chat-check.ts';
import { OPENAI_FUNCTIONS, withFunctions } from './function-rules.ts';
import { unknownKeys } from './problems.ts';
import { OPENAI_CHECK, OPENAI_FILE, toolsAndMode } from './openai.ts';
import { differing, rejectedIn } from './pairs.ts';
import { promptEndingInUser } from './turns.ts';

/** Text only, and no refusals. */
const RULES: ChatRules = { arguments: 'string', mark: 'weight', names: true };
const CHECK: TalkCheck & ToolsCheck = { ...OPENAI_CHECK, rules: RULES };
const SIDES = ['preferred_output', 'non_preferred_output'] as const;

/**
 * OpenAI's preference tuning: a better and a worse answer. Its OpenAPI document once said `preferred_completion`;
 * clients and guides say `preferred_output`, and so do other hosts.
 * @see https://platform.openai.com/docs/guides/direct-preference-optimization
 */
export const openaiDpoFormat: Format = {
  name: 'openai-dpo',
  summary: 'OpenAI preference tuning, and compatible hosts',
  sampleKind: 'preference',
  loss: 'completion',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'input', type: 'json' },
    { name: 'preferred_output', type: 'jsons' },
    { name: 'non_preferred_output', type: 'jsons' },
  ],
  render,
  check,
  checkFile: (file) => fileProblems(file, OPENAI_FILE),
};

function render(example: Example, options: RenderOptions): JsonObject {
  const conversation = withFunctions(example.conversation, OPENAI_FUNCTIONS);
  const worse = () =>
    withFunctions({ ...example.conversation, answer: rejectedIn(example) }, OPENAI_FUNCTIONS).answer;
  const [better, other] = differing(
    chatMessages([conversation.answer], options, RULES),
    chatMessages([worse()], options, RULES),
  );
  return {
    input: {
      messages: chatMessages(promptEndingInUser(conversation.prompt), options, RULES),
      ...toolsAndMode(conversation),
    },
    preferred_output: better,
    non_preferred_output: other,
  };
}

function check(row: JsonObject): string[] {
  const problems = unknownKeys(row, ['input', ...SIDES], '');
  for (const side of SIDES) problems.push(...outputProblems(row[side], side));
  if (JSON.stringify(row.preferred_output) === JSON.stringify(row.non_preferred_output))
    problems.push('non_preferred_output: is the same as preferred_output');
  const { input } = row;
  if (!isObject(input)) return [...problems, 'input: expected an object'];
  problems.push(...unknownKeys(input, ['messages', 'tools', 'parallel_tool_calls'], 'input'));
  problems.push(...inputProblems(input.messages));
  // OpenAI's own example has an empty list.
  const none = Array.isArray(input.tools) && input.tools.length === 0;
  return none ? problems : [...problems, ...toolsProblems(input, 'input', CHECK)];
}

function inputProblems(messages: unknown): string[] {
  const problems = talkProblems(messages, 'input.messages', CHECK);
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (isObject(last) && last.role === 'assistant')
    problems.push('input.messages: must not end with the assistant, whose turn the outputs are');
  return problems;
}

function outputProblems(output: unknown, side: string): string[] {
  const problems = talkProblems(output, side, CHECK);
  for (const [index, message] of (Array.isArray(output) ? (output as unknown[]) : []).entries())
    if (isObject(message) && message.role !== 'assistant' && message.role !== 'tool')
      problems.push(`${side}[${index}].role: expected assistant or tool`);
  return problems;
}
