import type { Format } from '../render/format.ts';
import type { AssistantMessage, Conversation, Message } from './conversation.ts';

/**
 * Handles calls of tools that a row does not define. Tools belong to the turn: a client may offer others with each
 * request, and a row has those of its last one. A model must not be trained on calls of undefined tools, so that such
 * answers are marked as untrained, and so are all before them if the format trains every answer that is not quoted. They
 * are trained in the row of their own record, which defines the tools.
 * @param turns the hashes after the answers in the prompt, in pairs: those of answers that are not trained here become
 * others
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
  return untrained(
    conversation,
    (message, index) => callsOther(message, names) || (loss === 'all' && index < last),
    turns,
  );
}

/** Makes another link of one, in its first half. */
const VEIL = 0x9e3779b9;

function callsOther(message: Message, names: ReadonlySet<string>): message is AssistantMessage {
  return (
    message.role === 'assistant' &&
    (message.tool_calls?.some((call) => !names.has(call.function.name)) ?? false)
  );
}

/** @param which of the answers in the prompt */
function untrained(
  conversation: Conversation,
  which: (message: Message, index: number) => boolean,
  turns: number[],
): Conversation {
  let answer = -1;
  const prompt = conversation.prompt.map((message, index) => {
    if (message.role !== 'assistant') return message;
    answer += 1;
    if (!which(message, index)) return message;
    // No record ends with this hash, so the record of this answer is not taken for a prefix of this row. Branches that
    // share the answer still share it.
    if (2 * answer < turns.length) turns[2 * answer] = (turns[2 * answer]! ^ VEIL) >>> 0;
    return { ...message, untrained: true as const };
  });
  return { ...conversation, prompt };
}
