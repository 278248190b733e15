import type { JsonObject } from '../../wire/json.ts';
import type { Message } from '../conversation/conversation.ts';
import type { Problems } from './problems.ts';
import type { Format, RenderOptions } from './format.ts';
import { RejectError } from '../errors.ts';
import { fileProblems } from './chat-check.ts';
import { objectsIn, textProblems, unknownKeys } from './problems.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { alternating, systemApart, textOf, withoutRefusals } from './turns.ts';

/**
 * Claude on Bedrock: text only, and only known keys. Conversations with tools are left out, since a model that is not
 * given the tools would learn to talk about what it cannot do.
 * @see https://platform.claude.com/cookbook/finetuning-finetuning-on-bedrock
 * @see https://github.com/aws-samples/amazon-bedrock-samples/blob/main/bedrock-fine-tuning/claude-haiku/DataValidation/data_validation.py
 */
export const anthropicFormat: Format = {
  name: 'anthropic',
  summary: 'Bedrock fine-tuning of Claude; no tools, no images',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'system', type: 'string', optional: true },
    { name: 'messages', type: 'jsons' },
  ],
  render: ({ conversation: { prompt, answer, tools } }, options) => {
    const messages = [...prompt, answer];
    withoutRefusals(messages);
    if (tools.length > 0) throw new RejectError('unsupported_tools');
    const { system, rest } = systemApart(messages);
    return {
      ...(system === undefined ? {} : { system }),
      messages: alternating(rest).map((message) => turn(message, options)),
    };
  },
  check,
  checkFile: (file) => fileProblems(file, { minRows: 32, maxRows: 10_000, maxBytes: 10 * 1024 ** 3 }),
};

function turn(message: Message, options: RenderOptions): JsonObject {
  if (message.role === 'user') return { role: 'user', content: textOf(message) };
  if (message.role !== 'assistant' || message.tool_calls) throw new RejectError('unsupported_tools');
  return { role: 'assistant', content: textWithReasoning(message, options) };
}

function check(row: JsonObject): Problems {
  const problems = unknownKeys(row, ['system', 'messages'], '');
  if ('system' in row) problems.push(...textProblems(row.system, 'system'));
  const { items, problems: found } = objectsIn(row.messages, 'messages');
  problems.push(...found);
  for (const [index, message] of items.entries()) {
    const path = `messages[${index}]`;
    const expected = index % 2 === 0 ? 'user' : 'assistant';
    if (message.role !== expected) problems.push(`${path}.role: expected ${expected}`);
    problems.push(...unknownKeys(message, ['role', 'content'], path));
    problems.push(...textProblems(message.content, `${path}.content`));
  }
  if (items.length % 2 === 1) problems.push("messages: the last message must be the assistant's");
  return problems;
}
