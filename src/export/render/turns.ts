/** Steps on the way from a conversation to a row, which formats share. */
import type { JsonObject } from '../../wire/json.ts';
import type {
  AssistantMessage,
  Conversation,
  Message,
  Part,
  PlainMessage,
  Tool,
} from '../conversation/conversation.ts';
import type { RenderOptions } from './format.ts';
import { RejectError } from '../errors.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';

/** The separator between the texts of messages that become one. */
const SEAM = '\n\n';

/**
 * A prompt that the model is to go on from.
 * @throws RejectError when no user speaks in it, or the assistant speaks last: trainers see no question there, or two answers
 */
export function promptEndingInUser(prompt: readonly Message[]): readonly Message[] {
  if (prompt.at(-1)?.role === 'assistant' || !prompt.some(({ role }) => role === 'user'))
    throw new RejectError('wrong_order');
  return prompt;
}

/** All messages of a conversation with its answer, system messages first. @throws RejectError as {@link promptEndingInUser} */
export function allMessages({ prompt, answer }: Conversation): Message[] {
  // First, since a system message at the end may stand behind the assistant's own.
  return [...promptEndingInUser(leadingSystem(prompt)), answer];
}

/** System messages become one at the start: a model told something later is told it from the start. */
export function leadingSystem(messages: readonly Message[]): Message[] {
  const systems = messages.filter(({ role }) => role === 'system');
  if (systems.length === 0) return [...messages];
  const [first] = messages;
  if (systems.length === 1 && first!.role === 'system') return [...messages];
  const content = systems.map((message) => textOf(message)).join(SEAM);
  return [{ role: 'system', content }, ...messages.filter(({ role }) => role !== 'system')];
}

/** The system prompt apart from the rest. */
export function systemApart(messages: readonly Message[]): {
  readonly system?: string;
  readonly rest: Message[];
} {
  const [first, ...rest] = leadingSystem(messages);
  return first?.role === 'system' ? { system: textOf(first), rest } : { rest: first ? [first, ...rest] : [] };
}

/** Messages of users, and of the assistant, that follow each other become one. */
export function mergedTurns(messages: readonly Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    const one = last === undefined ? undefined : merge(last, message);
    if (one) merged[merged.length - 1] = one;
    else merged.push(message);
  }
  return merged;
}

function merge(a: Message, b: Message): Message | undefined {
  if (a.role === 'user' && b.role === 'user') return { ...a, content: joinedContent(a.content, b.content) };
  if (a.role !== 'assistant' || b.role !== 'assistant' || a.tool_calls) return undefined;
  if (a.refusal !== undefined || b.refusal !== undefined) return undefined;
  const { untrained: _, ...both } = {
    ...a,
    ...b,
    content: [a.content, b.content].filter(Boolean).join(SEAM),
  };
  const reasoning = [a.reasoning, b.reasoning].filter(Boolean).join(SEAM);
  return {
    ...both,
    ...(reasoning === '' ? {} : { reasoning }),
    // What holds a turn that must not be trained is not trained.
    ...(a.untrained || b.untrained ? { untrained: true as const } : {}),
  };
}

function joinedContent(a: PlainMessage['content'], b: PlainMessage['content']): PlainMessage['content'] {
  if (typeof a === 'string' && typeof b === 'string') return a + SEAM + b;
  return [...partsOf(a), ...partsOf(b)];
}

export function partsOf(content: PlainMessage['content']): readonly Part[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a message. @throws RejectError when it holds an image */
export function textOf({ content }: Pick<Message, 'content'>): string {
  if (typeof content !== 'string') throw new RejectError('unsupported_content');
  return content;
}

/**
 * Holds a talk to the order that strict loaders want: the user first, no role twice in a row but for results of tools,
 * which follow their calls.
 * @throws RejectError when it cannot be brought into it
 */
export function alternating(messages: readonly Message[]): Message[] {
  const merged = mergedTurns(messages);
  const first = merged.find(({ role }) => role !== 'system');
  if (first?.role !== 'user') throw new RejectError('wrong_order');
  for (const [index, { role }] of merged.entries()) {
    const before = merged[index - 1]?.role;
    if (role === 'user' && (before === 'user' || before === 'tool')) throw new RejectError('wrong_order');
    if (role === 'assistant' && before === 'assistant') throw new RejectError('wrong_order');
  }
  return merged;
}

/** Tokens that the template of gpt-oss refuses in a text and in reasoning. */
const CHANNEL = /<\|channel\|>(?:analysis|final)<\|message\|>/;

/**
 * The answer's text with what was thought, where that goes into the text; and the field it goes into, where not.
 *
 * The field `thinking` is gpt-oss's, whose template fails on a message with calls that has both a text and a thought, and
 * writes either as a thought: there the text joins what was thought.
 * @throws RejectError when a thought in the text would end before its end, or where a template fails on words of its own
 */
export function withReasoning(
  { content, reasoning, tool_calls: calls }: AssistantMessage,
  { reasoning: mode }: RenderOptions,
  field = 'reasoning_content',
): { readonly content: string; readonly [field: string]: string } {
  if (reasoning === undefined || mode === 'drop') return { content };
  if (mode === 'inline') {
    if (reasoning.includes('</think>')) throw new RejectError('reserved_words');
    return { content: `<think>\n${reasoning}\n</think>\n\n${content}` };
  }
  if (mode === 'keep') return { content, [field]: reasoning };
  if (mode.field !== 'thinking') return { content, [mode.field]: reasoning };
  if (CHANNEL.test(content) || CHANNEL.test(reasoning)) throw new RejectError('reserved_words');
  if (!calls || content === '') return { content, thinking: reasoning };
  return { content: '', thinking: `${reasoning}${SEAM}${content}` };
}

/** The calls of a message, with arguments as text or as objects. */
export function callsOf(
  { tool_calls: calls }: AssistantMessage,
  as: 'string' | 'object',
): JsonObject[] | undefined {
  return calls?.map(({ id, type, function: { name, arguments: args } }) => ({
    id,
    type,
    function: { name, arguments: as === 'string' ? args : parseLongNumbers(args) },
  }));
}

/** Tools as a row has them: never an empty list, which one differing row makes `datasets` reject. */
export function toolsField(tools: readonly Tool[]): { tools?: readonly Tool[] } {
  return tools.length > 0 ? { tools } : {};
}

/** @throws RejectError when a refusal stands apart, for formats that have no place for one */
export function withoutRefusals(messages: readonly Message[]): void {
  if (messages.some((message) => message.role === 'assistant' && message.refusal !== undefined))
    throw new RejectError('refusal');
}

/** @throws RejectError when a message holds an image */
export function textOnly(messages: readonly Message[]): void {
  for (const message of messages) textOf(message);
}
