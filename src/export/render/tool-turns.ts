import type { AssistantMessage, Message, PlainMessage, ToolCall } from '../conversation/conversation.ts';
import { RejectError } from '../errors.ts';

/** The result of a tool, with the call that it answers. */
export interface Result {
  readonly call: ToolCall;
  readonly content: string;
}

/** A turn of a conversation; the results of parallel calls form one. */
export type Turn =
  | { readonly by: 'user'; readonly message: PlainMessage }
  | { readonly by: 'assistant'; readonly message: AssistantMessage }
  | { readonly by: 'tools'; readonly results: readonly Result[] };

/**
 * Groups messages to turns. Results are put in the order of their calls, and are matched by position: ids
 * may be reused in a later turn.
 * @throws RejectError when a result has no call directly before it
 */
export function turnsOf(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  let calls: readonly ToolCall[] = [];
  let given = new Map<string, string>();
  const close = () => {
    if (given.size > 0) turns.push({ by: 'tools', results: resultsOf(calls, given) });
    given = new Map();
  };
  for (const message of messages) {
    if (message.role === 'tool') {
      given.set(message.tool_call_id, message.content);
      continue;
    }
    close();
    calls = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
    turns.push(message.role === 'assistant' ? { by: 'assistant', message } : { by: 'user', message });
  }
  close();
  return turns;
}

function resultsOf(calls: readonly ToolCall[], given: ReadonlyMap<string, string>): Result[] {
  const results = calls.flatMap((call) => {
    const content = given.get(call.id);
    return content === undefined ? [] : [{ call, content }];
  });
  if (results.length < given.size) throw new RejectError('orphan_tool_result');
  return results;
}
