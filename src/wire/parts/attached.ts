import type { ChatMessage, ContentPart } from '../chat.ts';
import { isObject, stringOf } from '../json.ts';

/** A placeholder for a result without text. */
const ATTACHED = 'The result is attached to the next message.';

/**
 * A conversation for targets whose tool results are text only: images and files follow the last result of their turn in
 * a user message.
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

/** Adds parts to the beginning of the next user message, or as a message of their own. */
export function shownBefore(parts: readonly ContentPart[], message: ChatMessage): ChatMessage[] {
  const { content } = message;
  if (message.role !== 'user') return [{ role: 'user', content: [...parts] }, message];
  const own = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  return [{ ...message, content: [...parts, ...own] }];
}

/** Whether a result contains more than text. */
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
