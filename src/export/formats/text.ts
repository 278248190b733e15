import type { Message, Tool } from '../conversation.ts';
import type { Format, RenderOptions } from './format.ts';
import { textProblems, unknownKeys } from './check.ts';
import { callsOf, leadingSystem, textOf, withoutRefusals, withReasoning } from './turns.ts';

/**
 * One text a row, in ChatML as Qwen and many others write it: tools as JSON lines in the system message, calls in
 * `<tool_call>`, results in `<tool_response>`. For pretraining, and for eyes; a trainer that has the model's own template
 * does better with messages.
 */
export const textFormat: Format = {
  name: 'text',
  summary: 'Anything: one text a row, in ChatML; all of it is trained',
  makes: 'answer',
  masks: 'none',
  reasoning: 'drop',
  extras: true,
  columns: [
    { name: 'text', type: 'string' },
    { name: 'metadata', type: 'json', optional: true },
  ],
  render: ({ conversation: { prompt, answer, tools }, metadata }, options) => ({
    text: chatMl(leadingSystem([...prompt, answer]), tools, options),
    ...(metadata ? { metadata } : {}),
  }),
  check: (row) => [...unknownKeys(row, ['text', 'metadata'], ''), ...textProblems(row.text, 'text')],
};

function chatMl(messages: readonly Message[], tools: readonly Tool[], options: RenderOptions): string {
  withoutRefusals(messages);
  const offered =
    tools.length === 0
      ? ''
      : `# Tools\n\n<tools>\n${tools.map((tool) => JSON.stringify(tool)).join('\n')}\n</tools>`;
  const opening =
    messages[0]?.role === 'system' || offered === ''
      ? messages
      : [{ role: 'system' as const, content: '' }, ...messages];
  return opening
    .map((message, index) => {
      const text =
        index === 0 && offered !== ''
          ? [textOf(message), offered].filter(Boolean).join('\n\n')
          : saidBy(message, options);
      const role = message.role === 'tool' ? 'user' : message.role;
      return `<|im_start|>${role}\n${text}<|im_end|>\n`;
    })
    .join('');
}

function saidBy(message: Message, options: RenderOptions): string {
  if (message.role === 'tool') return `<tool_response>\n${message.content}\n</tool_response>`;
  if (message.role !== 'assistant') return textOf(message);
  const mode = options.reasoning === 'drop' ? options : { ...options, reasoning: 'inline' as const };
  const calls = callsOf(message, 'object')?.map(
    ({ function: called }) => `<tool_call>\n${JSON.stringify(called)}\n</tool_call>`,
  );
  return [withReasoning(message, mode).content, ...(calls ?? [])].filter(Boolean).join('\n');
}
