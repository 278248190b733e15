import type { AssistantMessage, Conversation, Message } from './conversation.ts';

/**
 * Handles calls of tools that a row does not define. Tools belong to the turn: a client may offer others with each
 * request, and a row has those of its last one. A model must not be trained on calls of undefined tools, so that such
 * answers are marked as untrained. They are trained in the row of their own record, which defines the tools.
 * @param turns the hashes after the answers in the prompt, in pairs: those of answers that are not trained here become
 * others
 */
export function withoutUndefinedCalls(conversation: Conversation, turns: number[]): Conversation {
  const names = new Set(conversation.tools.map((tool) => tool.function.name));
  return conversation.prompt.some((message) => callsOther(message, names))
    ? untrained(conversation, names, turns)
    : conversation;
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
