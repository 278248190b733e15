/**
 * The order of an answer's parts, for clients whose protocol does not preserve it: chat sends back a text and calls,
 * whereas a model that signs its reasoning requires it in its original place between them.
 */
import type { ChatMessage } from '../chat.ts';
import type { ReplayMemory } from '../protocol.ts';
import type { JsonObject } from '../json.ts';
import type { Part, Seal, ThinkingPart } from './part.ts';
import { isObject, listOf, numberOf, stringOf } from '../json.ts';
import { partsOf, withParts } from './message.ts';

/**
 * Remembers what must be sent back of an answer with tool calls, under the id of its first call.
 * @param parts of the whole answer
 */
export function remember(parts: readonly Part[], memory: ReplayMemory): void {
  const seals = parts.flatMap((part) => (part.type === 'thinking' && part.seal ? [part.seal] : []));
  const first = parts.find((part) => part.type === 'call')?.call.id;
  if (first === undefined || seals.length === 0) return;
  memory.set(first, { ...memory.get(first), thinking_blocks: seals, order: parts.flatMap(placeOf) });
}

/** A part without what the client itself sends back. */
function placeOf(part: Part): JsonObject[] {
  if (part.type === 'thinking') return [{ type: 'thinking', text: part.text }];
  if (part.type === 'text') return [{ type: 'text', length: part.text.length }];
  return part.type === 'call' ? [{ type: 'call', id: part.call.id }] : [];
}

/** The message in its original order, if that is remembered and the client has not changed the content. */
export function reordered(message: ChatMessage, memory: ReplayMemory): ChatMessage {
  const first = message.tool_calls?.[0]?.id;
  if (first === undefined || message.parts !== undefined) return message;
  const { order, thinking_blocks: kept } = memory.get(first) ?? {};
  if (!Array.isArray(order)) return message;
  const own = partsOf(message);
  const given = own.flatMap((part) => (part.type === 'thinking' && part.seal ? [part.seal] : []));
  // The remembered value is complete; a client may have kept only the last piece of a stream.
  const seals = listOf(kept) as Seal[];
  const parts = inOrder(order, own, seals.length >= given.length ? seals : given);
  return parts ? withParts(message, parts) : message;
}

function inOrder(
  order: readonly unknown[],
  ordered: readonly Part[],
  seals: readonly Seal[],
): Part[] | undefined {
  const text = ordered.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const calls = ordered.filter((part) => part.type === 'call');
  const others = ordered.filter(({ type }) => type !== 'text' && type !== 'call' && type !== 'thinking');
  const parts: Part[] = [];
  let at = 0;
  let called = 0;
  let sealed = 0;
  for (const place of order.filter(isObject)) {
    if (place.type === 'thinking') {
      const seal = seals[sealed++];
      const part: ThinkingPart = { type: 'thinking', text: stringOf(place.text) ?? '' };
      parts.push(seal ? { ...part, seal } : part);
    } else if (place.type === 'text') {
      const end = at + (numberOf(place.length) ?? 0);
      parts.push({ type: 'text', text: text.slice(at, end) });
      at = end;
    } else {
      const call = calls[called++];
      if (call?.call.id !== place.id) return undefined;
      parts.push(call!);
    }
  }
  const whole = at === text.length && called === calls.length && sealed === seals.length;
  return whole ? [...parts, ...others] : undefined;
}
