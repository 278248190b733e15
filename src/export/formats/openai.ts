import type { JsonObject } from '../../wire/json.ts';
import type { Conversation } from '../conversation.ts';

/**
 * OpenAI's fine-tuning row, which most hosts and trainers load: `messages` with the answer last, tool arguments
 * as JSON text, and `tools` beside them where there are any.
 */
export function openaiRow({ prompt, answer, tools, parallelToolCalls }: Conversation): JsonObject {
  const row: JsonObject = { messages: [...prompt, answer] };
  // Never an empty list: one differing row makes `datasets` reject the file.
  if (tools.length > 0) row.tools = tools;
  if (tools.length > 0 && parallelToolCalls !== undefined) row.parallel_tool_calls = parallelToolCalls;
  return row;
}
