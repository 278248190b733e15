/** Adapts empty messages for targets that reject them, and the role of the first message. */
import type { ChatMessage } from '../chat.ts';
import type { Abilities } from './abilities.ts';
import { isObject, listOf } from '../json.ts';
import { partsOf, withParts } from '../parts/message.ts';

/** A placeholder for an empty text where text is required. */
const PLACEHOLDER_TEXT = '.';

/**
 * A conversation without empty messages and without white space at its end if the target demands that, and with a user
 * message first if it must begin so.
 */
export function acceptedMessages(
  messages: readonly ChatMessage[],
  { blank_text: blanks = true, assistant_first: begun = true }: Abilities,
): ChatMessage[] {
  const nonEmpty = withoutThoughtsAlone(messages);
  const spoken = withoutSilence(nonEmpty, blanks ? isEmpty : isBlank);
  const accepted = blanks ? spoken : withTrimmedEnd(spoken);
  const first = accepted.find((message) => !isInstruction(message));
  if (begun || first?.role !== 'assistant') return accepted;
  const at = accepted.indexOf(first);
  return [...accepted.slice(0, at), { role: 'user', content: PLACEHOLDER_TEXT }, ...accepted.slice(at)];
}

/** Removes answers that consist of reasoning only. */
export function withoutThoughtsAlone(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.filter((message) => !isSilent(message));
}

function isInstruction({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** An answer that consists of reasoning only: without it there is nothing to send back. */
function isSilent(message: ChatMessage): boolean {
  if (!isObject(message) || message.role !== 'assistant') return false;
  const { content, refusal, function_call: legacy, audio } = message as Partial<Record<string, unknown>>;
  if ([content, refusal, legacy, audio].some(isGiven)) return false;
  return partsOf(message).every((part) => part.type === 'thinking' && part.seal === undefined);
}

/** @param isNone whether a text counts as empty */
function withoutSilence(messages: readonly ChatMessage[], isNone: (text: unknown) => boolean): ChatMessage[] {
  const kept = messages.flatMap((message) => {
    if (!isObject(message)) return [message];
    const { content, role } = message as ChatMessage;
    if (Array.isArray(message.parts)) return [withoutBlankParts(message, isNone)];
    if (typeof content === 'string') return isNone(content) ? wordless(message, role) : [message];
    if (!Array.isArray(content)) return role === 'user' && !isGiven(content) ? [] : [message];
    const parts = content.filter((part) => !(isObject(part) && part.type === 'text' && isNone(part.text)));
    if (parts.length === content.length && parts.length > 0) return [message];
    return parts.length > 0 ? [{ ...message, content: parts }] : wordless(message, role);
  });
  if (kept.some((message) => !isInstruction(message))) return kept;
  // A system message needs at least one user message after it.
  const last = kept.at(-1);
  return last
    ? [...kept.slice(0, -1), { ...last, role: 'user' }]
    : [{ role: 'user', content: PLACEHOLDER_TEXT }];
}

function withoutBlankParts(message: ChatMessage, isNone: (text: unknown) => boolean): ChatMessage {
  const parts = partsOf(message);
  const nonEmpty = parts.filter(
    (part) => part.type !== 'text' || !isNone(part.text) || part.extra_content !== undefined,
  );
  return nonEmpty.length === parts.length ? message : withParts(message, nonEmpty);
}

/** The beginning of an answer that the model is to continue must not end with white space. */
function withTrimmedEnd(messages: ChatMessage[]): ChatMessage[] {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return messages;
  const parts = partsOf(last);
  const end = parts.at(-1);
  if (end?.type !== 'text' || end.text.trimEnd() === end.text) return messages;
  const trimmed = withParts(last, [...parts.slice(0, -1), { ...end, text: end.text.trimEnd() }]);
  return [...messages.slice(0, -1), trimmed];
}

/** A message with empty text: calls and refusals are kept, and so are results, which are required. */
function wordless(message: ChatMessage, role: string): ChatMessage[] {
  if (role === 'tool' || role === 'function') return [message];
  const { refusal } = message as Partial<Record<string, unknown>>;
  const saysMore = listOf(message.tool_calls).length > 0 || Boolean(refusal);
  return saysMore ? [{ ...message, content: null }] : [];
}

function isEmpty(text: unknown): boolean {
  return text === '';
}

function isBlank(text: unknown): boolean {
  return typeof text === 'string' && text.trim() === '';
}
