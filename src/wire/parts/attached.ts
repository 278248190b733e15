import type { ChatMessage, ContentPart } from '../chat.ts';
import { isObject, stringOf } from '../json.ts';

/** Stands for a result of which nothing is text. */
const ATTACHED = 'The result is attached to the next message.';

/**
 * A conversation for whom the results of tools are text alone: pictures and files follow the last result of their turn, as
 * said by the user.
 */
export function withTextResults(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some(isRich)) return messages;
  const plain: ChatMessage[] = [];
  let moved: ContentPart[] = [];
  for (const message of messages) {
    if (message?.role !== 'tool' && moved.length > 0) {
      plain.push(...shownBefore(moved, message));
      moved = [];
      continue;
    }
    if (!isRich(message)) {
      plain.push(message);
      continue;
    }
    const { text, others } = taken(message);
    moved.push(...others);
    plain.push({ ...message, content: text === '' && others.length > 0 ? ATTACHED : text });
  }
  return moved.length > 0 ? [...plain, { role: 'user', content: moved }] : plain;
}

/** Parts as said by the user before a message: at the beginning of it where the user says it. */
export function shownBefore(parts: readonly ContentPart[], message: ChatMessage): ChatMessage[] {
  const { content } = message;
  if (message.role !== 'user') return [{ role: 'user', content: [...parts] }, message];
  const said = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  return [{ ...message, content: [...parts, ...said] }];
}

/** Whether a result holds more than text. */
function isRich(message: ChatMessage): boolean {
  if (message?.role !== 'tool') return false;
  const { content } = message;
  return Array.isArray(content) && content.some((part) => !isText(part));
}

function isText(part: unknown): boolean {
  return isObject(part) && typeof part.text === 'string';
}

function taken({ content }: ChatMessage): { text: string; others: ContentPart[] } {
  if (!Array.isArray(content)) return { text: stringOf(content) ?? '', others: [] };
  const texts = content.filter(isText).map(({ text }) => text!);
  return { text: texts.join('\n\n'), others: content.filter((part) => !isText(part)) };
}
