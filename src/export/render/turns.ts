/** Steps from a conversation to a row that formats share. */
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
import { quotedThrough } from '../conversation/quoted-turns.ts';
import { parseLongNumbers } from '../../wire/long-numbers.ts';

/** The separator between the texts of joined messages. */
const SEAM = '\n\n';

/**
 * A prompt that the model should continue.
 * @throws RejectError when it has no user message, or ends with the assistant: trainers see no question there, or two
 * answers
 */
export function promptEndingInUser(prompt: readonly Message[]): readonly Message[] {
  if (!prompt.some(({ role }) => role === 'user')) throw new RejectError('wrong_order');
  return notEndingInAnswer(prompt);
}

/**
 * A prompt behind which the answer is a message of its own, rather than the rest of one that the client began.
 * @throws RejectError when it ends with the assistant
 */
export function notEndingInAnswer(prompt: readonly Message[]): readonly Message[] {
  if (prompt.at(-1)?.role === 'assistant') throw new RejectError('wrong_order');
  return prompt;
}

/**
 * All messages of a conversation including its answer, system messages first. @throws RejectError as {@link
 * promptEndingInUser}
 */
export function allMessages({ prompt, answer }: Conversation): Message[] {
  // First, since a system message may follow the assistant's last one.
  return [...promptEndingInUser(leadingSystem(prompt)), answer];
}

/** System messages are joined to one at the start: what a model is told later is moved there. */
export function leadingSystem(messages: readonly Message[]): Message[] {
  const systems = messages.filter(({ role }) => role === 'system');
  if (systems.length === 0) return [...messages];
  const [first] = messages;
  if (systems.length === 1 && first!.role === 'system') return [...messages];
  const content = systems.map((message) => textOf(message)).join(SEAM);
  return [{ role: 'system', content }, ...messages.filter(({ role }) => role !== 'system')];
}

/** The system prompt, separately from the other messages. */
export function systemApart(messages: readonly Message[]): {
  readonly system?: string;
  readonly rest: Message[];
} {
  const [first, ...rest] = leadingSystem(messages);
  return first?.role === 'system' ? { system: textOf(first), rest } : { rest: first ? [first, ...rest] : [] };
}

/** Consecutive messages of the user, or of the assistant, are joined. */
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
    // If a part must not be trained, the joined turn is not trained.
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

/** The text of a message. @throws RejectError when it contains an image */
export function textOf({ content }: Pick<Message, 'content'>): string {
  if (typeof content !== 'string') throw new RejectError('unsupported_content');
  return content;
}

/**
 * A conversation in the order that strict loaders require: the user first, and roles that alternate. A user may speak
 * directly after results, as clients of Anthropic's API do, where both are one message: each format writes that as its
 * loader accepts it. What a program says by itself is quoted in the user's next message: a greeting that opens the
 * conversation, and something added to an answer that is trained, which would not be trained if both were one.
 * @param messages including the answer
 * @throws RejectError when the order is violated
 */
export function alternating(messages: readonly Message[]): Message[] {
  notEndingInAnswer(messages.slice(0, -1));
  const merged = mergedTurns(withoutAdditions(withoutGreeting(messages)));
  const first = merged.find(({ role }) => role !== 'system');
  if (first?.role !== 'user') throw new RejectError('wrong_order');
  const twice = merged.some(({ role }, index) => role === 'assistant' && merged[index - 1]?.role === role);
  if (twice) throw new RejectError('wrong_order');
  return merged;
}

function withoutGreeting(messages: readonly Message[]): readonly Message[] {
  const user = messages.findIndex(({ role }) => role === 'user');
  const opening = messages.slice(0, Math.max(user, 0)).filter(({ role }) => role !== 'system');
  const greets = opening.length > 0 && opening.every(({ role }) => role === 'assistant');
  return greets ? quotedThrough(messages, user - 1) : messages;
}

function withoutAdditions(messages: readonly Message[]): readonly Message[] {
  const kept: Message[] = [];
  for (let at = 0; at < messages.length; at++) {
    let end = at;
    if (isAnswer(kept.at(-1), false)) while (isAnswer(messages[end], true)) end += 1;
    if (end > at && messages[end]?.role === 'user') {
      kept.push(...quotedThrough(messages.slice(at, end + 1), end - at - 1));
      at = end;
    } else kept.push(messages[at]!);
  }
  return kept;
}

/** @param untrained which answers: those that are not trained, or the others */
function isAnswer(message: Message | undefined, untrained: boolean): boolean {
  return message?.role === 'assistant' && (message.untrained ?? false) === untrained;
}

/**
 * What a user says directly after results, at the end of the last one, for loaders that expect the assistant there.
 * @throws RejectError when it contains an image
 */
export function saidInResults(messages: readonly Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (message.role !== 'user' || last?.role !== 'tool') joined.push(message);
    else joined[joined.length - 1] = { ...last, content: withinResult(last.content, message) };
  }
  return joined;
}

/** @throws RejectError when the message contains an image */
export function withinResult(result: string, message: PlainMessage): string {
  return [result, textOf(message)].filter(Boolean).join(SEAM);
}

/** Tokens that the template of gpt-oss rejects in text and in reasoning. */
const CHANNEL = /<\|channel\|>(?:analysis|final)<\|message\|>/;

/**
 * The answer's text, with reasoning if that is part of the text; and the field for reasoning otherwise.
 *
 * The field `thinking` is gpt-oss's, whose template fails on a message with calls that has both text and reasoning, and
 * renders either as reasoning: the text is appended to the reasoning there.
 * @throws RejectError when reasoning in the text, or the text after it, contains its end tag, or tokens on which a template fails
 */
export function withReasoning(
  { content, reasoning, tool_calls: calls }: AssistantMessage,
  { reasoning: mode }: RenderOptions,
  field = 'reasoning_content',
): { readonly content: string; readonly [field: string]: string } {
  if (reasoning === undefined || mode === 'drop') return { content };
  if (mode === 'inline') {
    if (`${reasoning}${content}`.includes('</think>')) throw new RejectError('reserved_words');
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

/** The tools of a row: never an empty list, which would make `datasets` reject rows that differ. */
export function toolsField(tools: readonly Tool[]): { tools?: readonly Tool[] } {
  return tools.length > 0 ? { tools } : {};
}

/** @throws RejectError for a separate refusal, in formats that have no field for one */
export function withoutRefusals(messages: readonly Message[]): void {
  if (messages.some((message) => message.role === 'assistant' && message.refusal !== undefined))
    throw new RejectError('refusal');
}

/** @throws RejectError when a message contains an image */
export function textOnly(messages: readonly Message[]): void {
  for (const message of messages) textOf(message);
}
