import type { ChatMessage } from '../chat.ts';

/**
 * The conversation with all results of a turn's calls right after the message with the calls, as most APIs demand.
 * Codex puts notices about an image between the results of calls that ran in parallel: they follow the results. The same
 * list if nothing changes.
 */
export function resultsFirst(messages: ChatMessage[]): ChatMessage[] {
  if (!messages.some((message, at) => isResult(message) && isBetween(messages[at - 1]))) return messages;
  const ordered: ChatMessage[] = [];
  for (let at = 0; at < messages.length;) {
    const end = endOfTurn(messages, at);
    const [said, ...heard] = messages.slice(at, end);
    const ids = new Set((said?.tool_calls ?? []).map((call) => call?.id));
    const answers = (message: ChatMessage) => isResult(message) && ids.has(message.tool_call_id!);
    ordered.push(said!, ...heard.filter(answers), ...heard.filter((message) => !answers(message)));
    at = end;
  }
  return ordered;
}

/** The index after a message and what was heard after it. */
function endOfTurn(messages: readonly ChatMessage[], start: number): number {
  let end = start + 1;
  while (end < messages.length && messages[end]?.role !== 'assistant') end += 1;
  return end;
}

function isResult(message: ChatMessage | undefined): boolean {
  return message?.role === 'tool';
}

/** Whether something other than a call or a result precedes. */
function isBetween(message: ChatMessage | undefined): boolean {
  return message !== undefined && message.role !== 'assistant' && !isResult(message);
}
