/** Shortens conversations that are too long for a trainer. */
import type { ChatMessage } from '../../wire/chat.ts';
import type { AssistantMessage, Conversation, Message, Tool } from './conversation.ts';
import type { Plan } from '../convert/plan.ts';
import { RejectError } from '../errors.ts';
import { tokenCounter } from '../../wire/tokens.ts';

/**
 * Counts the tokens of messages and tools in OpenAI's o200k vocabulary: exact for OpenAI's models, approximate for
 * others.
 */
export type TokenCounter = (messages: readonly Message[], tools: readonly Tool[]) => number;

/** Loads the vocabulary, which takes about 100 ms. */
export async function messageCounter(): Promise<TokenCounter> {
  const count = await tokenCounter();
  return (messages, tools) =>
    count({ messages: messages.map(chatMessage), tools: tools.map((tool) => ({ ...tool })) });
}

function chatMessage({ content, ...message }: Message): ChatMessage {
  const { reasoning, parts: _, ...rest } = message as Partial<AssistantMessage>;
  const text = typeof content === 'string' ? content : content.map((part) => ({ ...part }));
  return {
    ...(rest as object),
    role: message.role,
    content: text,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
  };
}

export interface Fitted {
  readonly conversation: Conversation;
  readonly tokens: { readonly inputTokens: number; readonly outputTokens: number };
}

/**
 * The conversation within the length limit, and its tokens.
 * @param turns see {@link trimOldest}
 * @throws RejectError when it cannot be shortened to the limit
 */
export function fit(
  conversation: Conversation,
  { maxTokens = Infinity, onLong }: Pick<Plan, 'maxTokens' | 'onLong'>,
  count: TokenCounter,
  turns: number[],
): Fitted {
  const tokens = counted(conversation, count);
  if (tokens.inputTokens + tokens.outputTokens <= maxTokens) return { conversation, tokens };
  const shorter = onLong === 'drop' ? undefined : trimOldest(conversation, maxTokens, count, turns);
  if (!shorter) throw new RejectError('too_many_tokens');
  return { conversation: shorter, tokens: counted(shorter, count) };
}

function counted({ prompt, answer, tools }: Conversation, count: TokenCounter): Fitted['tokens'] {
  const outputTokens = count([answer], []) - count([], []);
  return { inputTokens: count(prompt, tools), outputTokens };
}

/**
 * The conversation without its oldest exchanges, so that it fits; `undefined` when even the last one does not. It is
 * cut before a user message, since a trainer that truncates at the end would lose the answer; leading system messages
 * are kept.
 * @param turns the hashes after the answers in the prompt, in pairs: those of removed answers are removed
 */
function trimOldest(
  conversation: Conversation,
  maxTokens: number,
  count: TokenCounter,
  turns: number[],
): Conversation | undefined {
  const { prompt, answer, tools } = conversation;
  const empty = count([], []);
  const opening = Math.max(
    0,
    prompt.findIndex(({ role }) => role !== 'system'),
  );
  let tokens = count([...prompt, answer], tools);
  let answers = 0;
  for (let at = opening + 1; at < prompt.length; at++) {
    const gone = prompt[at - 1]!;
    tokens -= count([gone], []) - empty;
    if (gone.role === 'assistant') answers += 1;
    if (tokens > maxTokens || prompt[at]!.role !== 'user' || gone.role === 'user') continue;
    turns.splice(0, 2 * answers);
    return { ...conversation, prompt: [...prompt.slice(0, opening), ...prompt.slice(at)] };
  }
  return undefined;
}
