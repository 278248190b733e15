import type { ChatMessage, ContentPart } from '../chat.ts';
import { listOf } from '../json.ts';

/**
 * A conversation in which each call has one result: some clients return the parts of a result one by one, which
 * Anthropic rejects. The same list if nothing changes.
 */
export function wholeResults(messages: ChatMessage[]): ChatMessage[] {
  const whole: ChatMessage[] = [];
  /** The places of the results since the last other message, by the ids of their calls. */
  let places = new Map<string, number>();
  for (const message of messages) {
    const id = message?.role === 'tool' ? message.tool_call_id : undefined;
    if (id === undefined) places = new Map();
    const place = id === undefined ? undefined : places.get(id);
    if (place === undefined) {
      if (id !== undefined) places.set(id, whole.length);
      whole.push(message);
    } else {
      whole[place] = joined(whole[place]!, message);
    }
  }
  return whole.length === messages.length ? messages : whole;
}

function joined(first: ChatMessage, next: ChatMessage): ChatMessage {
  return { ...first, ...next, content: [...partsOf(first), ...partsOf(next)] };
}

function partsOf({ content }: ChatMessage): ContentPart[] {
  if (typeof content !== 'string') return listOf(content) as ContentPart[];
  return content === '' ? [] : [{ type: 'text', text: content }];
}
