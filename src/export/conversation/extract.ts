import { listOf, objectOf } from '../../wire/json.ts';
import type { AssistantMessage, Conversation, Message } from './conversation.ts';
import type { Entry } from '../read/facts.ts';
import type { ContentOptions } from './messages.ts';
import { answerOf, promptOf } from './messages.ts';
import { RejectError } from '../errors.ts';
import { mustBeDefined, toolsOf } from './tools.ts';

/**
 * Extracts the conversation of an entry.
 * @throws RejectError with the reason when it contains none that is fit for training
 */
export function conversationOf(entry: Entry, options: ContentOptions): Conversation {
  if (entry.reject) throw new RejectError(entry.reject);
  if (entry.providerTools && options.providerTools === 'exclude') throw new RejectError('provider_tool');
  // The answer is checked first: its absence is more informative than a problem of the prompt.
  const answer = answerOf(entry.answer, options);
  if (entry.finish === 'refusal' && options.refusals === 'exclude') throw new RejectError('refusal');
  const prompt = promptOf(entry.request.messages, options);
  const tools = toolsOf(entry.request);
  mustBeDefined(answer, tools);
  const { parallel_tool_calls: parallel } = entry.request;
  const more = typeof parallel === 'boolean' ? { parallelToolCalls: parallel } : {};
  return { ...(goesOn(entry) ? continued(prompt, answer) : { prompt, answer }), tools, ...more };
}

/** Whether the model continued the trailing assistant message of the request; OpenAI's models begin a new one. */
function goesOn({ endpoint, request }: Entry): boolean {
  return endpoint === 'messages' || objectOf(listOf(request.messages).at(-1)).prefix === true;
}

/** An answer that continues a prefilled message is joined with it. */
function continued(
  prompt: readonly Message[],
  answer: AssistantMessage,
): Pick<Conversation, 'prompt' | 'answer'> {
  const last = prompt.at(-1);
  if (prompt.length < 2 || last?.role !== 'assistant' || answer.refusal !== undefined)
    return { prompt, answer };
  return { prompt: prompt.slice(0, -1), answer: { ...answer, content: last.content + answer.content } };
}

/** The conversation with another system prompt, or without one. */
export function withSystem(
  conversation: Conversation,
  system: 'drop' | { readonly text: string },
): Conversation {
  const rest = conversation.prompt.filter(({ role }) => role !== 'system');
  if (rest.length === 0) throw new RejectError('no_messages');
  if (system === 'drop') return { ...conversation, prompt: rest };
  return { ...conversation, prompt: [{ role: 'system', content: system.text }, ...rest] };
}
