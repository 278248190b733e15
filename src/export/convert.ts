import type { Conversation } from './conversation.ts';
import type { Entry } from './facts.ts';
import { answerOf, promptOf } from './messages.ts';
import { Unfit } from './reasons.ts';
import { toolsOf } from './tools.ts';

/**
 * The conversation an entry holds.
 * @throws Unfit with the reason when it holds none that is fit to train on
 */
export function conversationOf(entry: Entry): Conversation {
  if (entry.flaw) throw new Unfit(entry.flaw);
  // The answer first: that it is missing says more than what is wrong with the prompt.
  const answer = answerOf(entry.answer);
  const prompt = promptOf(entry.request.messages);
  const tools = toolsOf(entry.request);
  const known = new Set(tools.map((tool) => tool.function.name));
  if (answer.tool_calls?.some((call) => !known.has(call.function.name))) throw new Unfit('unknown_tool');
  const { parallel_tool_calls: parallel } = entry.request;
  return { prompt, answer, tools, ...(typeof parallel === 'boolean' ? { parallelToolCalls: parallel } : {}) };
}
