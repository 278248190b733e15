import type { ChatMessage } from '../../wire/chat.ts';
import { listOf, objectOf, stringOf } from '../../wire/json.ts';

/** The text of a message in any of its forms. */
export function textOf(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => stringOf(objectOf(part).text) ?? '')
    .join('');
}
