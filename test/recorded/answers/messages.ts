import type { Json } from '../read/json.ts';
import type { Choice, Part } from './said.ts';
import { isObject, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, Said, unknownKind, written } from './said.ts';

/** Reads a message. */
export function messagesWhole(value: Json): Said {
  const said = new Said();
  if (value.type === 'error') said.fail(value.error);
  const choice = said.choice();
  choice.role = stringOf(value.role);
  for (const block of objectsOf(value.content)) begin(choice, block);
  finish(choice, value);
  said.usage = isObject(value.usage) ? value.usage : undefined;
  said.ended = choice.finish !== undefined;
  return said;
}

/**
 * Reads the events of a stream. Pieces of blocks are joined by index; some servers start the next block before the last
 * one stops.
 */
export function messagesStream(events: readonly Json[]): Said {
  const said = new Said();
  const choice = said.choice();
  const calls = new Map<unknown, Part & { kind: 'call' }>();
  for (const event of events) {
    const delta = objectOf(event.delta);
    if (event.type === 'error') said.fail(event.error);
    else if (event.type === 'message_start') {
      const message = objectOf(event.message);
      choice.role = stringOf(message.role);
      for (const block of objectsOf(message.content)) begin(choice, block);
      said.usage = { ...objectOf(message.usage) };
    } else if (event.type === 'content_block_start') {
      const call = begin(choice, objectOf(event.content_block));
      if (call) calls.set(event.index, call);
    } else if (event.type === 'content_block_delta') grow(choice, delta, calls.get(event.index));
    else if (event.type === 'message_delta') {
      finish(choice, delta);
      // Some servers fill in only the counts that are new, and zeros in place of the others.
      const told = Object.entries(objectOf(event.usage)).filter(
        ([name, count]) => count !== null && (count !== 0 || !said.usage?.[name]),
      );
      said.usage = { ...said.usage, ...Object.fromEntries(told) };
    } else if (event.type === 'message_stop') said.ended = true;
  }
  return said;
}

function grow(choice: Choice, delta: Json, call: (Part & { kind: 'call' }) | undefined): void {
  if (delta.type === 'text_delta') addText(choice.parts, 'text', delta.text);
  else if (delta.type === 'thinking_delta') addText(choice.parts, 'thinking', delta.thinking);
  else if (delta.type === 'citations_delta') addSources(choice, objectOf(delta.citation).url);
  else if (delta.type === 'input_json_delta') {
    if (call) call.input = (call.input === '{}' ? '' : call.input) + String(delta.partial_json);
  } else if (delta.type !== 'signature_delta' && delta.type !== 'compaction_delta')
    unknownKind('Messages', delta.type);
}

/** Tools that the provider ran, and their results. */
const RAN = /^server_tool_use$|^mcp_tool_(?:use|result)$|_tool_result$|^container_upload$|^compaction$/;

function begin(choice: Choice, block: Json): (Part & { kind: 'call' }) | undefined {
  const { type } = block;
  if (type === 'text') {
    addText(choice.parts, 'text', block.text);
    addSources(choice, ...objectsOf(block.citations).map(({ url }) => url));
  } else if (type === 'thinking') addText(choice.parts, 'thinking', block.thinking);
  // Redacted thinking has no content, and a fallback model is named by the message itself.
  else if (type === 'redacted_thinking' || type === 'fallback') return undefined;
  else if (type === 'tool_use') {
    return addCall(choice.parts, block.id, block.name, written(block.input ?? {})) as Part & { kind: 'call' };
  } else if (RAN.test(String(type))) {
    choice.parts.push({ kind: 'ran', name: String(block.name ?? type) });
  } else unknownKind('Messages', type);
  return undefined;
}

function finish(choice: Choice, { stop_reason: reason, stop_details: details }: Json): void {
  choice.finish = stringOf(reason) ?? choice.finish;
  const { explanation } = objectOf(details);
  addText(choice.parts, 'refusal', explanation);
}
