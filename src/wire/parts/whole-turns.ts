import type { ChatMessage } from '../chat.ts';
import { listOf } from '../json.ts';
import { partsOf, withParts } from './message.ts';

/**
 * The conversation with one message for each turn in which the model calls functions. Clients that keep every piece of a
 * stream as a message, such as Google's when it calls functions itself, divide such a turn; but most APIs demand the
 * results of all calls right after the message with the calls. The same list if nothing changes.
 */
export function wholeTurns(messages: ChatMessage[]): ChatMessage[] {
  if (!messages.some((message, at) => isSaid(message) && isSaid(messages[at + 1]))) return messages;
  const turns: ChatMessage[] = [];
  for (let at = 0; at < messages.length;) {
    let end = at + 1;
    while (isSaid(messages[at]) && isSaid(messages[end])) end += 1;
    const turn = messages.slice(at, end);
    turns.push(...(turn.length > 1 && turn.some(calls) ? [joined(turn)] : turn));
    at = end;
  }
  return turns;
}

function isSaid(message: ChatMessage | undefined): boolean {
  return message?.role === 'assistant';
}

function calls(message: ChatMessage): boolean {
  return listOf(message.tool_calls).length > 0;
}

function joined(turn: readonly ChatMessage[]): ChatMessage {
  return withParts(turn[0]!, turn.flatMap(partsOf));
}
