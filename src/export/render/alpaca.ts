import type { JsonObject } from '../../wire/json.ts';
import type { Message } from '../conversation/conversation.ts';
import type { Problems } from './problems.ts';
import type { Format, RenderOptions } from './format.ts';
import { RejectError } from '../errors.ts';
import { textProblems, unknownKeys } from './problems.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { alternating, systemApart, textOf, withoutRefusals } from './turns.ts';

/**
 * An instruction and its output; earlier turns are `history`, which LLaMA-Factory trains as well. Every row
 * has all columns, since it fails if a declared column is missing everywhere.
 * @see https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md
 */
export const alpacaFormat: Format = {
  name: 'alpaca',
  summary: 'Alpaca: LLaMA-Factory and many others; no tools, no images',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  extras: true,
  columns: [
    { name: 'instruction', type: 'string' },
    { name: 'input', type: 'string' },
    { name: 'output', type: 'string' },
    { name: 'system', type: 'string' },
    { name: 'history', type: 'json' },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render: ({ conversation: { prompt, answer, tools }, metadata }, options) => {
    const messages = [...prompt, answer];
    withoutRefusals(messages);
    if (tools.length > 0) throw new RejectError('unsupported_tools');
    const { system, rest } = systemApart(messages);
    const texts = alternating(rest).map((message) => textIn(message, options));
    return {
      instruction: texts.at(-2),
      input: '',
      output: texts.at(-1),
      system: system ?? '',
      history: pairs(texts.slice(0, -2)),
      ...(metadata ? { metadata } : {}),
    };
  },
  check,
};

function textIn(message: Message, options: RenderOptions): string {
  if (message.role === 'tool' || (message.role === 'assistant' && message.tool_calls))
    throw new RejectError('unsupported_tools');
  return message.role === 'assistant' ? textWithReasoning(message, options) : textOf(message);
}

function pairs(texts: readonly string[]): string[][] {
  return Array.from({ length: texts.length / 2 }, (_, index) => texts.slice(2 * index, 2 * index + 2));
}

const KEYS = ['instruction', 'input', 'output', 'system', 'history', 'metadata'];

function check(row: JsonObject): Problems {
  const { instruction, output, history } = row;
  const problems = [
    ...unknownKeys(row, KEYS, ''),
    ...textProblems(instruction, 'instruction'),
    ...textProblems(output, 'output'),
  ];
  // A column must be present in all rows: it may be empty.
  for (const key of ['input', 'system'])
    if (typeof (row[key] ?? '') !== 'string') problems.push(`${key}: expected a text`);
  if (history !== undefined && history !== null && !Array.isArray(history))
    return [...problems, 'history: expected a list'];
  for (const [index, pair] of ((history ?? []) as unknown[]).entries())
    if (!isPair(pair)) problems.push(`history[${index}]: expected a question and its answer`);
  return problems;
}

function isPair(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((text) => typeof text === 'string' && text.trim() !== '')
  );
}
