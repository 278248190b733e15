import type { Conversation, Message, Tool } from '../conversation/conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import type { Turn } from './tool-turns.ts';
import { jsonText } from '../conversation/json.ts';
import { RejectError } from '../errors.ts';
import { textProblems, unknownKeys } from './problems.ts';
import { textWithReasoning } from './inline-reasoning.ts';
import { turnsOf } from './tool-turns.ts';
import { callsOf, leadingSystem, mergedTurns, notEndingInAnswer, textOf, withoutRefusals } from './turns.ts';

/**
 * One text per row, in ChatML as used by Qwen and many others: tools as JSON lines in the system message, calls in
 * `<tool_call>`, results in `<tool_response>` within a user turn. For pretraining, and for reading; a trainer with the
 * model's own template does better with messages.
 */
export const textFormat: Format = {
  name: 'text',
  summary: 'Any trainer: one ChatML text per row, all of it trained',
  sampleKind: 'sft',
  loss: 'all',
  reasoning: 'drop',
  readsTexts: true,
  extras: true,
  columns: [
    { name: 'text', type: 'string' },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render: ({ conversation, metadata }, options) => ({
    text: chatMl(conversation, options),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) => [...unknownKeys(row, ['text', 'metadata'], ''), ...textProblems(row.text, 'text')],
};

/** Tokens that delimit turns, which a tokenizer recognises even in a user's text. */
const BOUNDS = /<\|(?:im_start|im_end|endoftext)\|>/;

function chatMl({ prompt, answer, tools }: Conversation, options: RenderOptions): string {
  const messages = leadingSystem([...notEndingInAnswer(prompt), answer]);
  withoutRefusals(messages);
  const turns = turnsOf(withTools(options.mergeTurns ? mergedTurns(messages) : messages, tools));
  return turns
    .map((turn) => {
      const text = textIn(turn, options);
      if (BOUNDS.test(text)) throw new RejectError('reserved_words');
      return `<|im_start|>${turn.by === 'tools' ? 'user' : turn.message.role}\n${text}<|im_end|>\n`;
    })
    .join('');
}

/** The tools are at the end of the system message, which is added if there is none. */
function withTools(messages: readonly Message[], tools: readonly Tool[]): readonly Message[] {
  if (tools.length === 0) return messages;
  const offered = `# Tools\n\n<tools>\n${tools.map((tool) => jsonText(tool)).join('\n')}\n</tools>`;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: offered }, ...messages];
  return [{ ...first, content: `${textOf(first)}\n\n${offered}` }, ...rest];
}

function textIn(turn: Turn, options: RenderOptions): string {
  if (turn.by === 'user') return textOf(turn.message);
  if (turn.by === 'tools')
    return turn.results.map(({ content }) => `<tool_response>\n${content}\n</tool_response>`).join('\n');
  const calls = callsOf(turn.message, 'object')?.map(
    ({ function: called }) => `<tool_call>\n${jsonText(called)}\n</tool_call>`,
  );
  return [textWithReasoning(turn.message, options), ...(calls ?? [])].filter(Boolean).join('\n');
}
