import type { JsonObject } from '../../wire/json.ts';
import type { AssistantMessage, Example, Message } from '../conversation/conversation.ts';
import type { ChatRules } from './chat.ts';
import type { Format, RenderOptions } from './format.ts';
import { chatMessages } from './chat.ts';
import { chatRowProblems, fileProblems } from './chat-check.ts';
import { MISTRAL_FUNCTIONS, withFunctions } from './function-rules.ts';
import { alternating, allMessages, saidInResults, toolsField } from './turns.ts';

const RULES: ChatRules = {
  arguments: 'string',
  mark: 'weight',
};
const ID = /^[A-Za-z0-9]{9}$/;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Mistral: call ids have nine letters or digits, a message has either text or calls, functions have descriptions. Text
 * beside calls is left out, since the validator accepts only one of them, and so is reasoning. Before version 1.13, the
 * validator requires the assistant after a result.
 * @see https://github.com/mistralai/mistral-finetune#2-function-calling-dataset
 * @see https://docs.mistral.ai/resources/known-limitations
 */
export const mistralFormat: Format = {
  name: 'mistral',
  summary: 'Mistral fine-tuning and mistral-finetune',
  sampleKind: 'sft',
  loss: 'per_turn',
  reasoning: 'drop',
  extras: false,
  columns: [
    { name: 'messages', type: 'jsons' },
    { name: 'tools', type: 'jsons', optional: true },
  ],
  render,
  check: (row) =>
    chatRowProblems(row, {
      rules: RULES,
      keys: ['messages', 'tools'],
      last: 'assistant',
      alternate: 'answering_results',
      toolId: ID,
      contentOrCalls: true,
      describedTools: true,
      functionRules: MISTRAL_FUNCTIONS,
    }),
  checkFile: (file) => fileProblems(file, { maxBytes: 512 * 1024 ** 2 }),
};

function render(example: Example, options: RenderOptions): JsonObject {
  const conversation = withFunctions(example.conversation, MISTRAL_FUNCTIONS);
  const { tools } = conversation;
  const ids = new ShortIds();
  const messages = saidInResults(alternating(allMessages(conversation))).map((message) =>
    shortened(message, ids, options),
  );
  return {
    messages: chatMessages(messages, { ...options, mergeTurns: false }, RULES).map(withoutEmptyText),
    ...toolsField(tools),
  };
}

function shortened(message: Message, ids: ShortIds, options: RenderOptions): Message {
  if (message.role === 'tool') return { ...message, tool_call_id: ids.of(message.tool_call_id) };
  if (message.role !== 'assistant' || !message.tool_calls) return message;
  if (message.content !== '') options.onOmitted?.();
  const { reasoning: _, ...rest } = message;
  const calls = message.tool_calls.map((call) => ({ ...call, id: ids.of(call.id) }));
  return { ...rest, content: '', tool_calls: calls } satisfies AssistantMessage;
}

function withoutEmptyText(message: JsonObject): JsonObject {
  if (message.content !== '' || message.tool_calls === undefined) return message;
  const { content: _, ...rest } = message;
  return rest;
}

/** Unique ids of nine letters: the same for the same id. */
class ShortIds {
  readonly #ids = new Map<string, string>();
  readonly #taken = new Set<string>();

  of(id: string): string {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    let short = ID.test(id) ? id : letters(Bun.hash.xxHash3(id));
    for (let salt = 1n; this.#taken.has(short); salt++) short = letters(Bun.hash.xxHash3(id, salt));
    this.#ids.set(id, short);
    this.#taken.add(short);
    return short;
  }
}

function letters(hash: bigint): string {
  let rest = hash;
  return Array.from({ length: 9 }, () => {
    const letter = LETTERS[Number(rest % BigInt(LETTERS.length))]!;
    rest /= BigInt(LETTERS.length);
    return letter;
  }).join('');
}
