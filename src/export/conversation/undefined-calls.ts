import { RejectError } from '../errors.ts';
import type { Format } from '../render/format.ts';
import type { AssistantMessage, Conversation, Message } from './conversation.ts';

/**
 * Handles calls of tools that a row does not define. Tools belong to the turn: a client may offer others with each
 * request, and a row has those of its last one. A model must not be trained on calls of undefined tools. If the format
 * can leave a turn untrained, such calls are shown and not trained; if it trains all turns, the conversation begins
 * after them. What is left out here is trained in the row of its own record, which defines its tools.
 * @param turns the hashes after the answers in the prompt, in pairs: those of answers that are not trained here become
 * others, those of removed answers are removed
 * @throws RejectError when a format that trains all turns has nothing left after the last such call
 */
export function withoutUndefinedCalls(
  conversation: Conversation,
  loss: Format['loss'],
  turns: number[],
): Conversation {
  if (loss === 'completion') return conversation;
  const names = new Set(conversation.tools.map((tool) => tool.function.name));
  const { prompt } = conversation;
  const last = prompt.findLastIndex((message) => callsOther(message, names));
  if (last < 0) return conversation;
  return loss === 'all' ? begunBehind(conversation, last, turns) : untrained(conversation, names, turns);
}

/** Makes another link of one, in its first half. */
const VEIL = 0x9e3779b9;

function callsOther(message: Message, names: ReadonlySet<string>): message is AssistantMessage {
  return (
    message.role === 'assistant' &&
    (message.tool_calls?.some((call) => !names.has(call.function.name)) ?? false)
  );
}

function untrained(conversation: Conversation, names: ReadonlySet<string>, turns: number[]): Conversation {
  let answer = -1;
  const prompt = conversation.prompt.map((message) => {
    if (message.role === 'assistant') answer += 1;
    if (!callsOther(message, names)) return message;
    // No record ends with this hash, so the record of this answer is not taken for a prefix of this row. Branches that
    // share the answer still share it.
    if (2 * answer < turns.length) turns[2 * answer] = (turns[2 * answer]! ^ VEIL) >>> 0;
    return { ...message, untrained: true as const };
  });
  return { ...conversation, prompt };
}

function begunBehind(conversation: Conversation, last: number, turns: number[]): Conversation {
  const { prompt } = conversation;
  const from = prompt.findIndex(({ role }, index) => index > last && role === 'user');
  if (from < 0) throw new RejectError('unknown_tool');
  const gone = prompt.slice(0, from);
  turns.splice(0, 2 * gone.filter(({ role }) => role === 'assistant').length);
  return {
    ...conversation,
    prompt: [...gone.filter(({ role }) => role === 'system'), ...prompt.slice(from)],
  };
}
