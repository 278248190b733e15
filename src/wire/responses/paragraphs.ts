import type { PartList } from '../parts/part-list.ts';
import { listOf, objectOf, stringOf } from '../json.ts';

/** What separates two messages of one answer, such as commentary and the final answer, in protocols with one text. */
export const PARAGRAPH = '\n\n';

/** Begins a message of an answer. @param content of the message, which is added to the list afterwards */
export function beginMessage(list: PartList, content: unknown): void {
  const hasText =
    typeof content === 'string'
      ? content !== ''
      : listOf(content).some((part) => stringOf(objectOf(part).text));
  if (hasText && list.length > 0) list.text(PARAGRAPH);
}
